// SPDX-License-Identifier: MIT
#include "daemon/storage/age_clock.hpp"

#include <algorithm>

#include <time.h>

namespace livelogd::storage {

std::int64_t age_clock::now(std::int64_t told_ns, nanoseconds running, nanoseconds max_age) {
    std::int64_t believed = believed_ns_.value_or(told_ns);
    if (running_) believed += (running - *running_).count();
    running_ = running;
    const bool doubtful = told_ns - believed > max_age.count() / believed_part;
    if (doubtful && !doubted_since_) doubted_since_ = running;
    if (!doubtful || running - *doubted_since_ >= std::min(longest_doubt, max_age)) {
        doubted_since_.reset();
        believed = told_ns;
    }
    believed_ns_ = believed;
    return believed;
}

std::int64_t system_time_ns() {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count();
}

std::chrono::nanoseconds running_time() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace livelogd::storage
