// SPDX-License-Identifier: MIT
#include "daemon/base/time_zone.hpp"

#include <date/tz.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace livelogd::base {
namespace {

using microseconds = std::chrono::microseconds;
using std::chrono::seconds;

constexpr std::string_view zone_folder = "/usr/share/zoneinfo/";

bool is_utc(std::string_view name) {
    return name == "UTC" || name == "Etc/UTC" || name == "UTC0";
}

std::int32_t in_seconds(seconds offset) {
    return static_cast<std::int32_t>(offset.count());
}

/// The library reports an absent database, and a zone that is not in it, alike: by a runtime_error.
const date::time_zone* find_zone(std::string_view name) {
    try {
        return date::locate_zone(name);
    } catch (const std::runtime_error&) {
        return nullptr;
    }
}

const date::time_zone* find_local_zone() {
    try {
        return date::current_zone();
    } catch (const std::runtime_error&) {
        return nullptr;
    }
}

}  // namespace

time_zone time_zone::system() {
    // Read once, at start, before there are threads that could change the environment.
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    const char* const variable = std::getenv("TZ");
    std::string_view name = variable == nullptr ? "" : variable;
    if (name.starts_with(':')) name.remove_prefix(1);
    if (name.empty() || name == "/etc/localtime") return time_zone(find_local_zone());
    if (name.starts_with(zone_folder)) name.remove_prefix(zone_folder.size());
    if (const auto* zone = find_zone(name)) return time_zone(zone);
    if (is_utc(name)) return time_zone(nullptr);
    throw std::runtime_error("the environment variable TZ is \"" + std::string(variable)
                             + "\", which names no time zone of this system; "
                               "set it, or the option timezone, to a name such as Europe/Berlin");
}

time_zone time_zone::named(std::string_view name) {
    if (const auto* zone = find_zone(name)) return time_zone(zone);
    if (is_utc(name)) return time_zone(nullptr);
    throw std::runtime_error(
        "\"" + std::string(name)
        + "\" names no time zone of this system; names are such as Europe/Berlin or UTC");
}

std::string time_zone::name() const {
    return zone_ == nullptr ? "UTC" : zone_->name();
}

std::int64_t time_zone::instant(const protocol::wall_time& wall) const {
    const microseconds local(wall.local_us);
    if (wall.utc_offset_s) return (local - seconds(*wall.utc_offset_s)).count();
    if (zone_ == nullptr) return wall.local_us;
    // Where there are two offsets, `first` is the one from before the change: the earlier instant of a
    // repeated hour, and what the clock would have gone on with in a skipped one.
    const auto info = zone_->get_info(date::local_seconds(std::chrono::floor<seconds>(local)));
    return (local - info.first.offset).count();
}

std::int32_t time_zone::utc_offset_s(std::int64_t utc_us) const {
    if (zone_ == nullptr) return 0;
    const date::sys_seconds when(std::chrono::floor<seconds>(microseconds(utc_us)));
    return in_seconds(zone_->get_info(when).offset);
}

std::string time_zone::format(std::int64_t utc_us) const {
    return protocol::format_timestamp(utc_us, utc_offset_s(utc_us));
}

std::int64_t now_us() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<microseconds>(now).count();
}

}  // namespace livelogd::base
