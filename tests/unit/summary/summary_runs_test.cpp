// SPDX-License-Identifier: MIT
#include "daemon/summary/summary_runs.hpp"
#include "tests/support/catch.hpp"

#include <memory>
#include <string>
#include <vector>

using livelogd::summary::segment_summary;
using livelogd::summary::shared_summary;
using livelogd::summary::summary_runs;

namespace {

shared_summary a_summary() {
    return std::make_shared<const segment_summary>(
        std::vector<livelogd::summary::page>{},
        std::vector<std::shared_ptr<const segment_summary::page_texts>>{});
}

std::shared_ptr<const std::string> sums(std::size_t size) {
    return std::make_shared<const std::string>(size, 's');
}

}  // namespace

TEST_CASE("a run is found by its very segments", "[summary]") {
    summary_runs runs;
    const std::vector segments{a_summary(), a_summary(), a_summary()};
    CHECK_FALSE(runs.find(segments));
    const auto remembered = sums(10);
    runs.remember(segments, remembered);
    CHECK(runs.find(segments) == remembered);
    CHECK_FALSE(runs.find(std::vector{segments[0], segments[1]}));
    CHECK_FALSE(runs.find(std::vector{segments[1], segments[0], segments[2]}));
    // The same segment after its file has changed.
    CHECK_FALSE(runs.find(std::vector{segments[0], segments[1], a_summary()}));
}

TEST_CASE("the runs that nobody has asked for the longest are forgotten", "[summary]") {
    summary_runs runs(32, 10'000);
    std::vector<std::vector<shared_summary>> asked;
    for (int i = 0; i < 3; ++i) {
        asked.push_back({a_summary(), a_summary()});
        runs.remember(asked.back(), sums(4'000));
        CHECK(runs.find(asked.front()));
    }
    CHECK(runs.find(asked[0]));
    CHECK_FALSE(runs.find(asked[1]));
    CHECK(runs.find(asked[2]));
}

TEST_CASE("runs end at about one of so many segments, always the same", "[summary]") {
    const summary_runs runs(32);
    std::size_t ends = 0;
    constexpr std::uint64_t first = 1'750'000'000'000'000;
    for (std::uint64_t id = first; id < first + 32'000 * 7; id += 7) {
        if (runs.ends_with(id)) ++ends;
        CHECK(runs.ends_with(id) == summary_runs(32).ends_with(id));
    }
    CHECK(ends > 800);
    CHECK(ends < 1'200);
}
