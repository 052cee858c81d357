// SPDX-License-Identifier: MIT
#include "daemon/summary/name_counts.hpp"

#include "tests/support/catch.hpp"

#include <string>
#include <utility>
#include <vector>

using livelogd::protocol::json_kind;
using livelogd::summary::name_counts;

namespace {

livelogd::summary::name_budget budget;

using pairs = std::vector<std::pair<std::string, std::uint64_t>>;

pairs top(const name_counts& counts, std::size_t most) {
    pairs entries;
    for (const auto& [name, count] : counts.top(most))
        entries.emplace_back(name, count);
    return entries;
}

name_counts of(const pairs& entries) {
    name_counts counts(budget);
    for (const auto& [name, count] : entries)
        for (std::uint64_t i = 0; i < count; ++i)
            counts.add(std::string_view(name));
    return counts;
}

}  // namespace

TEST_CASE("counts fall, ties stand in the order of their bytes") {
    CHECK(top(name_counts(budget), 10).empty());
    const auto counts = of({{"b", 2}, {"a", 2}, {"é", 2}, {"Z", 2}, {"", 1}, {"most", 5}, {"aa", 2}});
    CHECK(top(counts, 10) == pairs{{"most", 5}, {"Z", 2}, {"a", 2}, {"aa", 2}, {"b", 2}, {"é", 2}, {"", 1}});
}

TEST_CASE("what does not fit is summed at the end") {
    const auto counts = of({{"a", 5}, {"b", 4}, {"c", 3}, {"d", 2}, {"e", 9}});
    CHECK(top(counts, 5).size() == 5);
    CHECK(top(counts, 4) == pairs{{"e", 9}, {"a", 5}, {"b", 4}, {"c", 3}, {"(other)", 2}});
    CHECK(top(counts, 2) == pairs{{"e", 9}, {"a", 5}, {"(other)", 9}});
    CHECK(top(counts, 0) == pairs{{"(other)", 23}});
}

TEST_CASE("a real name (other) and the rest are one entry") {
    const auto counts = of({{"a", 5}, {"(other)", 4}, {"c", 3}, {"d", 2}});
    CHECK(top(counts, 4) == pairs{{"a", 5}, {"(other)", 4}, {"c", 3}, {"d", 2}});
    CHECK(top(counts, 3) == pairs{{"a", 5}, {"c", 3}, {"(other)", 6}});
    CHECK(top(counts, 1) == pairs{{"a", 5}, {"(other)", 9}});
}

TEST_CASE("scalars are names, whatever their spelling") {
    name_counts counts(budget);
    counts.add({.kind = json_kind::string, .text = R"("GET")"});
    counts.add({.kind = json_kind::string, .text = R"("G\u0045T")"});
    counts.add({.kind = json_kind::string, .text = R"("")"});
    counts.add({.kind = json_kind::string, .text = R"("200")"});
    counts.add({.kind = json_kind::number, .text = "200"});
    counts.add({.kind = json_kind::number, .text = "2e2"});
    counts.add({.kind = json_kind::boolean, .text = "true"});
    counts.add({.kind = json_kind::null, .text = "null"});
    counts.add({.kind = json_kind::object, .text = "{}"});
    counts.add({.kind = json_kind::array, .text = "[1]"});
    counts.add(livelogd::protocol::json_token{});
    CHECK(top(counts, 10) == pairs{{"200", 2}, {"GET", 2}, {"", 1}, {"2e2", 1}, {"true", 1}});
}
