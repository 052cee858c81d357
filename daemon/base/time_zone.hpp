// SPDX-License-Identifier: MIT
// Local time by the rules of a named zone.
#pragma once

#include "protocol/timestamp.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace livelogd::base {

/// A zone of the system's tz database. A value; the data it points to lives as long as the process. Any
/// thread.
class time_zone {
  public:
    /// The system's zone: $TZ where it names one, else /etc/localtime, else UTC.
    static time_zone system();

    /// An IANA name such as Europe/Berlin. Throws std::runtime_error with a sentence for the operator.
    static time_zone named(std::string_view name);

    [[nodiscard]] std::string name() const;

    /// The instant of a wall time, microseconds since 1970 UTC. Without an offset of its own it is read in
    /// this zone; of two instants with the same local time the first; a local time that is skipped counts
    /// with the offset from before the jump.
    [[nodiscard]] std::int64_t instant(const protocol::wall_time& wall) const;

    /// Local minus UTC at this instant, seconds.
    [[nodiscard]] std::int32_t utc_offset_s(std::int64_t utc_us) const;

    /// ISO 8601 with microseconds and offset.
    [[nodiscard]] std::string format(std::int64_t utc_us) const;

  private:
    explicit time_zone(const date::time_zone* zone) : zone_(zone) {}
    const date::time_zone* zone_;  ///< null: UTC without a tz database
};

/// Microseconds since 1970 UTC, now.
std::int64_t now_us();

}  // namespace livelogd::base
