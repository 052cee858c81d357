// SPDX-License-Identifier: MIT
// The time by which records grow old.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace livelogd::storage {

/// Follows the system's clock, but not at once where it goes forward by more than has passed: a machine whose
/// clock is wrong for a while must not lose its history for that. A clock that stands by its word for a day
/// of running is believed. Steps that are small against the age do little harm, and are believed at once; so
/// are all steps back, after which less is removed. One thread at a time: the writer's.
class age_clock {
  public:
    using nanoseconds = std::chrono::nanoseconds;

    /// The longest time that a clock which has gone forward is doubted; not longer than the age either.
    static constexpr nanoseconds longest_doubt = std::chrono::hours(24);
    /// Of the age, the part by which the clock may go forward and be believed at once.
    static constexpr int believed_part = 8;

    /// `last_ns`: the time at which the log was in use last, as far as it is known, since 1970.
    explicit age_clock(std::optional<std::int64_t> last_ns) : believed_ns_(last_ns) {}

    /// The time to go by, since 1970. `told_ns`: what the system's clock tells; `running`: a clock that
    /// nobody can set, which also runs while the machine sleeps; `max_age`: of records, above 0.
    std::int64_t now(std::int64_t told_ns, nanoseconds running, nanoseconds max_age);

    /// The last now() was not what the system's clock told.
    [[nodiscard]] bool doubts() const { return doubted_since_.has_value(); }

  private:
    std::optional<std::int64_t> believed_ns_;
    std::optional<nanoseconds> running_;  ///< at the last call
    std::optional<nanoseconds> doubted_since_;
};

/// The system's clock, nanoseconds since 1970.
std::int64_t system_time_ns();
/// Since the machine was started, sleep included.
std::chrono::nanoseconds running_time();

}  // namespace livelogd::storage
