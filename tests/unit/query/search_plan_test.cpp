// SPDX-License-Identifier: MIT
// What summaries save a search from reading holds nothing of what it looks for.
#include "daemon/query/search_plan.hpp"
#include "daemon/query/record_search.hpp"
#include "tests/unit/query/summarised_log.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

using namespace livelogd;
using namespace livelogd::query::test;
using livelogd::test::filter_of;
using livelogd::test::filter_of_types;

namespace {

/// What a search finds: ids, and the times it tells.
using finds = std::vector<std::pair<protocol::record_id, std::optional<std::int64_t>>>;

template <class Search>
finds found_by(const storage::log_snapshot& snapshot, const filter::record_filter& filter,
               query::id_limits limits, summary::summaries* known) {
    storage::line_counts lines;
    Search search(snapshot, filter, limits, {.lines = lines, .zone = utc, .summaries = known});
    search.tell_times();
    query::found_record record;
    finds found;
    while (search.next(record) == query::search_step::found)
        found.emplace_back(record.id, record.time);
    return found;
}

filter::record_filter any_filter(log_maker& random) {
    filter::filter_words words;
    switch (random.below(6)) {
        case 0:
            words.type = {"errors"};
            break;
        case 1:
            words.level = {"error"};
            break;
        case 2:
            words.q = {random.pick({"level:ERROR type:response", "status:4xx", "status>=400", "status:5xx"})};
            break;
        case 3:
            words.q = {"level:ERROR", "status:404"};
            break;
        case 4:
            words.q = {random.pick({"-level:ERROR", "level:ERROR OR m1", "status>=200"})};
            break;
        default:
            break;
    }
    const auto minute = [&] { return std::to_string(random.below(60) + 10).substr(0, 2); };
    if (random.below(2) == 0)
        words.since = {"2025-06-26T0" + random.pick({"8", "9"}) + ":" + minute().replace(0, 1, "2") + ":00Z"};
    if (random.below(3) == 0) words.until = {"2025-06-26T" + random.pick({"08", "09", "11"}) + ":45:00Z"};
    return filter_of(words);
}

}  // namespace

TEST_CASE("searches with summaries find what searches without them find") {
    std::size_t found = 0;
    for (unsigned seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        log_maker random(seed);
        test_log log;
        fill(log, random);
        summary::summaries known(true, utc);
        summarise(log, known, random);
        const auto snapshot = log.snapshot();
        for (int round = 0; round < 20; ++round) {
            CAPTURE(round);
            const auto filter = any_filter(random);
            query::id_limits limits;
            if (random.below(2) == 0) limits.after = test_log::first_id + random.below(200);
            if (random.below(2) == 0) limits.before = test_log::first_id + random.below(300);
            const auto wanted = found_by<query::backward_search>(snapshot, filter, limits, nullptr);
            CHECK(found_by<query::backward_search>(snapshot, filter, limits, &known) == wanted);
            auto forward = found_by<query::forward_search>(snapshot, filter, limits, &known);
            std::ranges::reverse(forward);
            CHECK(forward == wanted);
            found += wanted.size();
        }
    }
    CHECK(found > 1000);
}

TEST_CASE("a search for errors reads the places where they are, and no more") {
    test_log log;
    log.append({R"({"n":1})", R"({"level":"ERROR","n":2})", R"({"n":3})"}).seal();
    log.append({R"({"n":4})"}).seal();
    log.append({R"({"n":5})", R"({"status_code":404,"n":6})"}).seal();
    summary::summaries known(true, utc);
    const auto snapshot = log.snapshot();
    for (std::size_t i = 0; i < 3; ++i) {
        const auto id = snapshot.segment(i).first_id;
        const auto fd = storage::open_segment(snapshot, i);
        summary::summary_builder built(id, utc, page_size);
        REQUIRE(built.extend(fd.get(), snapshot.segment(i).bytes, true, {}));
        REQUIRE(summary::write_summary(snapshot.directory, known.subject_of(id, fd.get()), built));
    }
    const auto errors = filter_of_types({"errors"});
    const auto plan = [&](std::size_t i) {
        return query::plan_of(snapshot.segment(i), known.of(snapshot, i).get(), errors);
    };
    REQUIRE(plan(0).size() == 1);
    CHECK(plan(0)[0].first_line == 1);
    CHECK(plan(0)[0].begin == 8);
    CHECK(plan(0)[0].first_only);
    CHECK(plan(1).empty());
    REQUIRE(plan(2).size() == 1);
    CHECK(plan(2)[0].first_line == 1);

    SECTION("without a summary the whole segment is to be read") {
        const auto all = query::plan_of(snapshot.segment(0), nullptr, errors);
        REQUIRE(all.size() == 1);
        CHECK(all[0].begin == 0);
        CHECK(all[0].end == snapshot.segment(0).bytes);
        CHECK(all[0].lines == query::unknown_lines);
    }
    SECTION("a summary that is damaged where the places are is not believed") {
        const auto name = snapshot.directory / summary::summary_name(snapshot.segment(0).first_id);
        REQUIRE(known.of(snapshot, 0) != nullptr);
        std::filesystem::resize_file(name, 1);
        const finds wanted = found_by<query::backward_search>(snapshot, errors, {}, nullptr);
        CHECK(found_by<query::backward_search>(snapshot, errors, {}, &known) == wanted);
        CHECK(wanted.size() == 2);
        CHECK(known.take_missing().contains(snapshot.segment(0).first_id));
    }
}
