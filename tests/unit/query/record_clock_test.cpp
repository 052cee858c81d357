// SPDX-License-Identifier: MIT
#include "daemon/summary/record_clock.hpp"

#include "daemon/query/record_search.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/test_log.hpp"

#include <algorithm>
#include <random>

using namespace livelogd::query;
using livelogd::query::test::test_log;
using livelogd::query::test::utc;

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t noon = 1'750'939'200 * second;  // 2025-06-26T12:00:00Z

using times = std::vector<std::optional<std::int64_t>>;

std::string record(std::optional<int> minute) {
    if (!minute) return R"({"timestamp":1750939200})";
    return R"({"timestamp":")" + utc.format(noon + *minute * 60 * second) + "\"}";
}

template <class Search>
times times_found(const test_log& log) {
    livelogd::storage::line_counts lines;
    const auto snapshot = log.snapshot();
    const livelogd::filter::record_filter everything;
    Search search(snapshot, everything, {}, {.lines = lines, .zone = utc});
    search.tell_times();
    times found;
    found_record record;
    while (search.next(record) == search_step::found)
        found.push_back(record.time);
    return found;
}

/// By the definition, word for word; a line that is no record is left out.
times defined(const std::vector<std::vector<std::optional<std::optional<int>>>>& segments) {
    times all;
    for (const auto& segment : segments) {
        for (std::size_t i = 0; i < segment.size(); ++i) {
            if (!segment[i]) continue;
            std::optional<int> minute;
            for (std::size_t k = i + 1; k-- > 0 && !minute;)
                if (segment[k]) minute = *segment[k];
            for (std::size_t k = i; k < segment.size() && !minute; ++k)
                if (segment[k]) minute = *segment[k];
            all.push_back(minute ? std::optional(noon + *minute * 60 * second) : std::nullopt);
        }
    }
    return all;
}

}  // namespace

TEST_CASE("records without a readable time have that of a neighbour, whichever way one comes") {
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        test_log log;
        std::vector<std::vector<std::optional<std::optional<int>>>> segments(1);
        // Some logs have no readable times at all, others nearly only such.
        const auto readable = random() % 11;
        for (auto count = random() % 60; count > 0; --count) {
            std::optional<std::optional<int>> kind;  // nothing: no record
            if (random() % 12 != 0)
                kind =
                    random() % 10 < readable ? std::optional(static_cast<int>(random() % 500)) : std::nullopt;
            log.append({kind ? record(*kind) : "no record"});
            segments.back().push_back(kind);
            if (random() % 20 == 0) {
                log.seal();
                segments.emplace_back();
            }
        }
        auto wanted = defined(segments);
        CAPTURE(round);
        CHECK(times_found<forward_search>(log) == wanted);
        std::ranges::reverse(wanted);
        CHECK(times_found<backward_search>(log) == wanted);
    }
}

TEST_CASE("the time of one record is found without a scan") {
    test_log log;
    log.append({record({}), record(5), record({}), "no record"}).seal();
    log.append({record({}), record({}), record(9)}).seal();
    log.append({record({})});
    livelogd::storage::line_counts lines;
    const auto snapshot = log.snapshot();
    const auto minute_of = [&](livelogd::protocol::record_id id) -> std::optional<std::int64_t> {
        const auto time = time_of_record(snapshot, id, {.lines = lines, .zone = utc});
        return time ? std::optional((*time - noon) / (60 * second)) : std::nullopt;
    };
    CHECK(minute_of(1000) == 5);
    CHECK(minute_of(1001) == 5);
    CHECK(minute_of(1002) == 5);
    CHECK_FALSE(minute_of(1003));
    CHECK(minute_of(1004) == 9);
    CHECK(minute_of(1005) == 9);
    CHECK(minute_of(1006) == 9);
    CHECK_FALSE(minute_of(1007));
    CHECK_FALSE(minute_of(2000));
}
