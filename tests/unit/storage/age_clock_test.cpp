// SPDX-License-Identifier: MIT
#include "daemon/storage/age_clock.hpp"

#include "tests/support/catch.hpp"

using namespace livelogd::storage;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::nanoseconds age = std::chrono::hours(24 * 8);
constexpr auto begin = std::chrono::nanoseconds(std::chrono::hours(24 * 365 * 55));

/// A machine with a clock that can be set.
struct machine {
    std::chrono::nanoseconds clock = begin;
    std::chrono::nanoseconds running{1h};

    void pass(std::chrono::nanoseconds time) {
        clock += time;
        running += time;
    }
    std::chrono::nanoseconds ask(age_clock& of) const {
        return std::chrono::nanoseconds(of.now(clock.count(), running, age));
    }
};

}  // namespace

TEST_CASE("a clock that goes as time does is believed") {
    machine m;
    age_clock clock{std::nullopt};
    for (int i = 0; i < 50; ++i) {
        CHECK(m.ask(clock) == m.clock);
        CHECK_FALSE(clock.doubts());
        m.pass(20h);
    }
}

TEST_CASE("small steps and steps back are believed at once") {
    machine m;
    age_clock clock{std::nullopt};
    m.ask(clock);
    m.clock += 24h;  // an eighth of the age
    CHECK(m.ask(clock) == m.clock);
    m.clock -= 1000h;
    CHECK(m.ask(clock) == m.clock);
    CHECK_FALSE(clock.doubts());
}

TEST_CASE("a large step forward is doubted for a day of running, and forgotten when it is taken back") {
    machine m;
    age_clock clock{std::nullopt};
    m.ask(clock);
    m.clock += std::chrono::hours(87'600);
    CHECK(m.ask(clock) == begin);
    CHECK(clock.doubts());
    m.pass(23h);
    CHECK(m.ask(clock) == begin + 23h);
    m.clock -= std::chrono::hours(87'600);
    CHECK(m.ask(clock) == m.clock);
    CHECK_FALSE(clock.doubts());

    m.clock += std::chrono::hours(87'600);
    CHECK(m.ask(clock) == begin + 23h);
    m.pass(24h);
    CHECK(m.ask(clock) == m.clock);
    CHECK_FALSE(clock.doubts());
}

TEST_CASE("a start long after the log was in use is a step forward; one soon after is none") {
    machine m;
    age_clock rested{(begin - 1000h).count()};
    CHECK(m.ask(rested) == begin - 1000h);
    CHECK(rested.doubts());
    age_clock weekend{(begin - 20h).count()};
    CHECK(m.ask(weekend) == begin);
    CHECK_FALSE(weekend.doubts());
    age_clock ahead{(begin + 1000h).count()};  // files from a time when the clock was wrong
    CHECK(m.ask(ahead) == begin);
    CHECK_FALSE(ahead.doubts());
}

TEST_CASE("no more is doubted than the age itself") {
    age_clock clock{begin.count()};
    const auto far = begin + 1000h;
    CHECK(clock.now(far.count(), 1h, 10s) == begin.count());
    CHECK(clock.now((far + 11s).count(), 1h + 11s, 10s) == (far + 11s).count());
}
