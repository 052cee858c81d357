// SPDX-License-Identifier: MIT
#include "protocol/timestamp.hpp"

#include <chrono>
#include <cstddef>
#include <cstdio>

namespace livelogd::protocol {
namespace {

constexpr std::int64_t us_per_second = 1'000'000;

/// Reads a text from its front; the first thing that is not as asked makes it fail for good.
class reader {
  public:
    explicit reader(std::string_view text) : rest_(text) {}

    /// Exactly `count` digits.
    int digits(std::size_t count) {
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (!next_is_digit()) {
                failed_ = true;
                return 0;
            }
            value = value * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        return value;
    }

    /// One of `characters`.
    void one_of(std::string_view characters) {
        if (!skip(characters)) failed_ = true;
    }

    /// Passes over one of `characters`, if it comes next.
    bool skip(std::string_view characters) {
        if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return false;
        rest_.remove_prefix(1);
        return true;
    }

    [[nodiscard]] bool next_is_digit() const {
        return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
    }
    [[nodiscard]] char front() const { return rest_.empty() ? '\0' : rest_.front(); }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] bool failed() const { return failed_; }
    void fail() { failed_ = true; }

  private:
    std::string_view rest_;
    bool failed_ = false;
};

/// The digits after the point, as microseconds.
int read_fraction(reader& in) {
    int microseconds = 0;
    int count = 0;
    while (in.next_is_digit()) {
        const int digit = in.digits(1);
        if (count < 6) microseconds = microseconds * 10 + digit;
        ++count;
    }
    if (count < 1 || count > 9) in.fail();
    for (int i = count; i < 6; ++i)
        microseconds *= 10;
    return microseconds;
}

std::optional<std::int32_t> read_offset(reader& in) {
    if (in.at_end()) return std::nullopt;
    if (in.skip("Z")) return 0;
    const bool behind = in.front() == '-';
    in.one_of("+-");
    const int hours = in.digits(2);
    int minutes = 0;
    if (!in.at_end()) {
        in.skip(":");
        minutes = in.digits(2);
    }
    if (hours > 23 || minutes > 59) in.fail();
    const std::int32_t offset = (hours * 60 + minutes) * 60;
    return behind ? -offset : offset;
}

}  // namespace

std::optional<wall_time> parse_timestamp(std::string_view text) {
    reader in(text);
    const int year = in.digits(4);
    in.one_of("-");
    const int month = in.digits(2);
    in.one_of("-");
    const int day = in.digits(2);
    in.one_of("T ");
    const int hour = in.digits(2);
    in.one_of(":");
    const int minute = in.digits(2);
    in.one_of(":");
    const int second = in.digits(2);
    if (in.failed()) return std::nullopt;
    const int microseconds = in.skip(".,") ? read_fraction(in) : 0;
    const auto offset = read_offset(in);
    if (in.failed() || !in.at_end()) return std::nullopt;

    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    const std::int64_t seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    return wall_time{.local_us = seconds * us_per_second + microseconds, .utc_offset_s = offset};
}

std::string format_timestamp(std::int64_t utc_us, std::int32_t utc_offset_s) {
    // The text tells the offset in whole minutes; zones of long ago had seconds too. The clock that is shown
    // is the one that the told offset belongs to, so that the text still names this instant.
    const std::int32_t offset_min = utc_offset_s / 60;
    const std::chrono::sys_time<std::chrono::microseconds> local{std::chrono::microseconds(utc_us)
                                                                 + std::chrono::minutes(offset_min)};
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(local - day);
    const unsigned ahead = static_cast<unsigned>(offset_min < 0 ? -offset_min : offset_min);
    char buffer[64];
    const int size = std::snprintf(
        buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%06d%c%02u:%02u", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()),
        offset_min < 0 ? '-' : '+', ahead / 60, ahead % 60);
    return {buffer, static_cast<std::size_t>(size)};
}

}  // namespace livelogd::protocol
