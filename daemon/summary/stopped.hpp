// SPDX-License-Identifier: MIT
// How a scan ends that nobody waits for any more.
#pragma once

#include <exception>

namespace livelogd::summary {

/// The stop token of a scan was triggered: the client is gone, or the daemon stops.
struct stopped : std::exception {
    [[nodiscard]] const char* what() const noexcept override { return "the scan was stopped"; }
};

}  // namespace livelogd::summary
