// SPDX-License-Identifier: MIT
// Words for an errno.
#pragma once

#include <string>
#include <system_error>

namespace livelogd::base {

/// What the C library says of an errno: "No space left on device". Any thread, unlike std::strerror().
inline std::string errno_text(int error) {
    return std::generic_category().message(error);
}

}  // namespace livelogd::base
