// SPDX-License-Identifier: MIT
#include "daemon/query/replay.hpp"

#include "daemon/summary/stopped.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/test_log.hpp"

#include <chrono>
#include <random>

using livelogd::protocol::record_id;
using livelogd::query::replay_search;
using livelogd::query::test::test_log;
using livelogd::test::filter_of_types;

namespace {

constexpr record_id first = test_log::first_id;

using clock = std::chrono::steady_clock;

record_id position(const test_log& log, std::size_t count, const std::vector<std::string>& types = {}) {
    livelogd::storage::line_counts lines;
    replay_search search(log.snapshot(), filter_of_types(types), count,
                         {.lines = lines, .zone = livelogd::query::test::utc});
    REQUIRE(search.advance(clock::now() + std::chrono::hours(1)));
    return search.position();
}

std::string typed(const std::string& type) {
    return R"({"type":")" + type + "\"}";
}

}  // namespace

TEST_CASE("replay of an empty log starts before its first id") {
    const test_log log;
    CHECK(position(log, 0) == first - 1);
    CHECK(position(log, 1) == first - 1);
    CHECK(position(log, 100) == first - 1);
}

TEST_CASE("replay starts just before the oldest of the records wanted") {
    test_log log;
    log.append({typed("a"), typed("b"), typed("a"), typed("b"), typed("b")});
    CHECK(position(log, 0) == first + 4);
    CHECK(position(log, 1) == first + 3);
    CHECK(position(log, 2) == first + 2);
    CHECK(position(log, 5) == first - 1);
    CHECK(position(log, 6) == first - 1);
    CHECK(position(log, 1, {"a"}) == first + 1);
    CHECK(position(log, 2, {"a"}) == first - 1);
    CHECK(position(log, 3, {"b"}) == first);
}

TEST_CASE("replay with too few matches starts before all that is kept") {
    test_log log;
    log.append({typed("b"), typed("a")}).seal();
    log.append({typed("b")});
    CHECK(position(log, 2, {"a"}) == first - 1);
    CHECK(position(log, 1, {"none"}) == first - 1);
}

TEST_CASE("replay goes over segments and the jumps between their ids") {
    test_log log;
    log.append({typed("a"), typed("b")}).seal(100);  // first, first + 1
    log.append({typed("a")}).seal();                 // first + 102
    log.append({typed("b"), typed("b")}).seal(7);    // first + 103, first + 104
    CHECK(position(log, 0) == first + 111);
    CHECK(position(log, 1) == first + 103);
    CHECK(position(log, 2) == first + 102);
    CHECK(position(log, 3) == first + 101);
    CHECK(position(log, 4) == first);
    CHECK(position(log, 1, {"a"}) == first + 101);
    CHECK(position(log, 2, {"a"}) == first - 1);
    std::filesystem::remove(log.file(1));
    CHECK(position(log, 1, {"a"}) == first - 1);
    CHECK(position(log, 3) == first);
}

TEST_CASE("lines that are no records have ids but are no matches") {
    test_log log;
    log.append({"broken", typed("a"), "", typed("a"), "{", "[]"});
    CHECK(position(log, 1) == first + 2);
    CHECK(position(log, 2) == first);
    CHECK(position(log, 3) == first - 1);
}

TEST_CASE("replay and a count from the front agree on random logs") {
    std::mt19937 random(99);
    for (int round = 0; round < 40; ++round) {
        test_log log;
        std::vector<record_id> matches;
        const std::size_t records = random() % 500;
        for (std::size_t i = 0; i < records; ++i) {
            const auto kind = random() % 4;
            if (kind == 0) matches.push_back(log.snapshot().next_id);
            const std::string padding(random() % 300, ' ');
            log.append({kind == 0   ? R"({"x":")" + padding + R"(","type":"wanted"})"
                        : kind == 1 ? "no record"
                                    : "{}"});
            if (random() % 50 == 0) log.seal(random() % 20);
        }
        const std::size_t count = 1 + random() % 100;
        const record_id wanted = matches.size() < count ? first - 1 : matches[matches.size() - count] - 1;
        CAPTURE(round, records, count);
        CHECK(position(log, count, {"wanted"}) == wanted);
    }
}

TEST_CASE("replay stops when nobody waits any more") {
    test_log log;
    log.append({typed("a")});
    std::stop_source stop;
    stop.request_stop();
    livelogd::storage::line_counts lines;
    replay_search search(log.snapshot(), {}, 1,
                         {.lines = lines, .zone = livelogd::query::test::utc, .stop = stop.get_token()});
    CHECK_THROWS_AS(search.advance(clock::now()), livelogd::summary::stopped);
}

TEST_CASE("a replay is searched in steps, each of which gets on") {
    test_log log;
    log.append({typed("wanted")});
    for (int i = 0; i < 4000; ++i)
        log.append({typed(std::string(400, 'x'))});
    livelogd::storage::line_counts lines;
    // One that passes over whole blocks, and one that has to read each record.
    for (const char* expression : {"type:wanted", "-type:x*"}) {
        replay_search search(log.snapshot(), livelogd::test::filter_of_q({expression}), 1,
                             {.lines = lines, .zone = livelogd::query::test::utc});
        int steps = 0;
        // The time is up at once, every time.
        while (!search.advance(clock::now()))
            ++steps;
        CHECK(steps > 2);
        CHECK(steps < 100);
        CHECK(search.position() == first - 1);
    }
}
