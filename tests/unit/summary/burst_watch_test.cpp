// SPDX-License-Identifier: MIT
#include "daemon/summary/burst_watch.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <cstdint>

using namespace livelogd;
using namespace std::chrono_literals;

namespace {

/// A log to which so many records a second are added, and a watch that looks at it.
struct watched_log {
    summary::burst_watch::time_point now{1h};
    protocol::record_id next_id = 1'000;
    summary::burst_watch watch{next_id, now};

    bool waits_after(std::chrono::milliseconds time, std::uint64_t rate) {
        now += time;
        next_id += rate * static_cast<std::uint64_t>(time.count()) / 1'000;
        return watch.should_wait(next_id, now);
    }
};

}  // namespace

TEST_CASE("a burst makes wait until it is over", "[summary]") {
    watched_log log;
    CHECK_FALSE(log.waits_after(250ms, 0));
    CHECK_FALSE(log.waits_after(250ms, 30'000));
    CHECK(log.waits_after(250ms, 300'000));
    CHECK(log.waits_after(250ms, 50'000));
    CHECK_FALSE(log.waits_after(250ms, 1'000));
    CHECK(log.waits_after(250ms, 300'000));
}

TEST_CASE("what goes on for long keeps nothing waiting", "[summary]") {
    watched_log log;
    for (auto passed = 250ms; passed < summary::burst_watch::patience; passed += 250ms)
        CHECK(log.waits_after(250ms, 300'000));
    for (int i = 0; i < 20; ++i)
        CHECK_FALSE(log.waits_after(250ms, 300'000));
    // The next burst is another one.
    CHECK_FALSE(log.waits_after(250ms, 0));
    CHECK(log.waits_after(250ms, 300'000));
}

TEST_CASE("a batch alone is no burst", "[summary]") {
    watched_log log;
    CHECK_FALSE(log.waits_after(1ms, 500'000));
    CHECK_FALSE(log.waits_after(10ms, 0));
    CHECK_FALSE(log.waits_after(100ms, 0));
    // Nor does a short look in the middle of a burst end it.
    CHECK(log.waits_after(250ms, 300'000));
    CHECK(log.waits_after(5ms, 0));
}
