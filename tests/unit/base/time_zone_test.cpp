// SPDX-License-Identifier: MIT
#include "daemon/base/time_zone.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

using livelogd::base::time_zone;
using livelogd::protocol::parse_timestamp;

namespace {

/// Sets or clears TZ for a while.
class tz_variable {
  public:
    explicit tz_variable(const char* value) {
        if (const char* old = std::getenv("TZ")) old_ = old;
        set(value);
    }
    ~tz_variable() { set(old_ ? old_->c_str() : nullptr); }
    tz_variable(const tz_variable&) = delete;
    tz_variable& operator=(const tz_variable&) = delete;

  private:
    static void set(const char* value) {
        if (value == nullptr) {
            ::unsetenv("TZ");
        } else {
            ::setenv("TZ", value, 1);
        }
    }
    std::optional<std::string> old_;
};

/// The instant of a wall time in `zone`, as UTC.
std::string utc_of(const time_zone& zone, std::string_view text) {
    const auto wall = parse_timestamp(text);
    REQUIRE(wall.has_value());
    return livelogd::protocol::format_timestamp(zone.instant(*wall), 0);
}

}  // namespace

TEST_CASE("local times are read by the zone's rules") {
    const time_zone berlin = time_zone::named("Europe/Berlin");
    CHECK(berlin.name() == "Europe/Berlin");
    CHECK(utc_of(berlin, "2025-01-15T12:00:00.5") == "2025-01-15T11:00:00.500000+00:00");
    CHECK(utc_of(berlin, "2025-07-15T12:00:00") == "2025-07-15T10:00:00.000000+00:00");
    CHECK(utc_of(berlin, "1969-12-31T23:59:59.999999") == "1969-12-31T22:59:59.999999+00:00");
    // The text's own offset counts, wherever it is read.
    CHECK(utc_of(berlin, "2025-07-15T12:00:00Z") == "2025-07-15T12:00:00.000000+00:00");
    CHECK(utc_of(berlin, "2025-07-15T12:00:00-03:30") == "2025-07-15T15:30:00.000000+00:00");
}

TEST_CASE("a repeated local time is the first of the two instants") {
    const time_zone berlin = time_zone::named("Europe/Berlin");
    CHECK(utc_of(berlin, "2025-10-26T01:59:59.999999") == "2025-10-25T23:59:59.999999+00:00");
    CHECK(utc_of(berlin, "2025-10-26T02:00:00") == "2025-10-26T00:00:00.000000+00:00");
    CHECK(utc_of(berlin, "2025-10-26T02:30:00") == "2025-10-26T00:30:00.000000+00:00");
    CHECK(utc_of(berlin, "2025-10-26T02:59:59.999999") == "2025-10-26T00:59:59.999999+00:00");
    CHECK(utc_of(berlin, "2025-10-26T03:00:00") == "2025-10-26T02:00:00.000000+00:00");
}

TEST_CASE("a skipped local time counts with the offset from before the jump") {
    const time_zone berlin = time_zone::named("Europe/Berlin");
    CHECK(utc_of(berlin, "2025-03-30T01:59:59.999999") == "2025-03-30T00:59:59.999999+00:00");
    CHECK(utc_of(berlin, "2025-03-30T02:00:00") == "2025-03-30T01:00:00.000000+00:00");
    CHECK(utc_of(berlin, "2025-03-30T02:30:00") == "2025-03-30T01:30:00.000000+00:00");
    CHECK(utc_of(berlin, "2025-03-30T03:00:00") == "2025-03-30T01:00:00.000000+00:00");
    const time_zone new_york = time_zone::named("America/New_York");
    CHECK(utc_of(new_york, "2025-03-09T02:30:00") == "2025-03-09T07:30:00.000000+00:00");
    CHECK(utc_of(new_york, "2025-11-02T01:30:00") == "2025-11-02T05:30:00.000000+00:00");
}

TEST_CASE("instants are written in local time with the offset of that moment") {
    const time_zone berlin = time_zone::named("Europe/Berlin");
    const std::int64_t before = parse_timestamp("2025-10-26T00:59:59.999999Z")->local_us;
    CHECK(berlin.format(before) == "2025-10-26T02:59:59.999999+02:00");
    CHECK(berlin.format(before + 1) == "2025-10-26T02:00:00.000000+01:00");
    CHECK(berlin.utc_offset_s(before) == 7200);
    CHECK(berlin.utc_offset_s(before + 1) == 3600);
    CHECK(time_zone::named("Asia/Kolkata").format(0) == "1970-01-01T05:30:00.000000+05:30");
    CHECK(time_zone::named("UTC").format(-1) == "1969-12-31T23:59:59.999999+00:00");
}

TEST_CASE("what a zone writes, any zone reads as the same instant") {
    std::mt19937_64 random(3);
    std::uniform_int_distribution<std::int64_t> instant(-5'000'000'000'000'000, 5'000'000'000'000'000);
    const time_zone elsewhere = time_zone::named("Pacific/Auckland");
    for (const char* name :
         {"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Monrovia", "UTC"}) {
        const time_zone zone = time_zone::named(name);
        for (int i = 0; i < 500; ++i) {
            const std::int64_t utc_us = instant(random);
            const std::string text = zone.format(utc_us);
            CAPTURE(name, text);
            REQUIRE(elsewhere.instant(*parse_timestamp(text)) == utc_us);
        }
    }
}

TEST_CASE("a name that is no zone is refused with a sentence") {
    for (const char* name : {"", "Europe/Nowhere", "europe/berlin", "../../etc/passwd", "CET-1CEST"}) {
        CAPTURE(name);
        CHECK_THROWS_WITH(time_zone::named(name), Catch::Contains(std::string("\"") + name + "\"")
                                                      && Catch::Contains("names no time zone"));
    }
}

TEST_CASE("the system's zone is the one TZ names") {
    {
        const tz_variable tz("America/New_York");
        CHECK(time_zone::system().name() == "America/New_York");
    }
    {
        const tz_variable tz(":Europe/Berlin");
        CHECK(time_zone::system().name() == "Europe/Berlin");
    }
    {
        const tz_variable tz(":/usr/share/zoneinfo/Asia/Tokyo");
        CHECK(time_zone::system().name() == "Asia/Tokyo");
    }
    {
        const tz_variable tz("UTC0");
        CHECK(time_zone::system().utc_offset_s(0) == 0);
    }
}

TEST_CASE("without TZ it is the zone of the machine") {
    std::string unset;
    {
        const tz_variable tz(nullptr);
        unset = time_zone::system().name();
    }
    CHECK_FALSE(unset.empty());
    for (const char* same : {"", ":", "/etc/localtime", ":/etc/localtime"}) {
        const tz_variable tz(same);
        CHECK(time_zone::system().name() == unset);
    }
}

TEST_CASE("a TZ that names no zone is refused with a sentence") {
    for (const char* value : {"Europe/Nowhere", "CET-1CEST,M3.5.0,M10.5.0/3", "/no/such/file"}) {
        const tz_variable tz(value);
        CHECK_THROWS_WITH(time_zone::system(), Catch::Contains("TZ") && Catch::Contains(value));
    }
}

TEST_CASE("now is what the clock says") {
    using namespace std::chrono;
    const auto clock = [] {
        return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
    };
    const auto before = clock();
    const auto now = livelogd::base::now_us();
    CHECK(now >= before);
    CHECK(now <= clock());
}
