// SPDX-License-Identifier: MIT
// What has become of alerts.
#pragma once

#include <atomic>
#include <cstdint>

namespace livelogd::alerts {

/// Since the start. Any thread.
struct alert_counts {
    std::atomic<std::uint64_t> fired{0};
    std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> undelivered{0};  ///< given up, or pushed out by newer ones
    std::atomic<std::uint64_t> waiting{0};      ///< to be delivered
};

}  // namespace livelogd::alerts
