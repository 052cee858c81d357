// SPDX-License-Identifier: MIT
// The times that a filter lets through.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace livelogd::filter {

/// [begin_us, end_us), microseconds since 1970 UTC.
struct time_window {
    std::int64_t begin_us = std::numeric_limits<std::int64_t>::min();
    std::int64_t end_us = std::numeric_limits<std::int64_t>::max();

    /// Whether it leaves any time out.
    [[nodiscard]] bool limited() const { return *this != time_window{}; }

    /// Nothing speaks against a record of which the time is not known.
    [[nodiscard]] bool holds(std::optional<std::int64_t> time_us) const {
        return !time_us || !limited() || (*time_us >= begin_us && *time_us < end_us);
    }

    friend bool operator==(const time_window&, const time_window&) = default;
};

}  // namespace livelogd::filter
