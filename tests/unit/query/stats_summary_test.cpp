// SPDX-License-Identifier: MIT
// Statistics with summaries are those of a scan, whatever the log and the window.
#include "daemon/query/stats.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/summarised_log.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace livelogd::query::test;
using livelogd::query::stats_answer;
using livelogd::query::stats_help;
using livelogd::query::stats_request;
using livelogd::summary::summaries;
using livelogd::summary::summary_builder;

namespace {

/// Threads that come as soon as they are asked, or not at all.
class some_hands {
  public:
    livelogd::query::helping_hands hands(bool come) {
        return {.count = 2, .ask = [this, come](std::function<void()> work) {
                    if (come) threads_.emplace_back(std::move(work));
                }};
    }

  private:
    std::vector<std::jthread> threads_;
};

std::string with_summaries(const test_log& log, const stats_request& request, summaries& known, bool come) {
    some_hands hands;
    return stats_answer(log.snapshot(), request, utc, {}, {.summaries = &known, .hands = hands.hands(come)});
}

}  // namespace

TEST_CASE("statistics from summaries are those of a scan") {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        log_maker random(seed);
        test_log log;
        fill(log, random);
        summaries known(true, utc, summaries::default_cache_bytes, 1 + random.below(4));
        summarise(log, known, random);
        for (int round = 0; round < 12; ++round) {
            stats_request request;
            request.now_us = noon_us - static_cast<std::int64_t>(random.below(span_us));
            request.hours = random.below(4) == 0 ? 87600 : static_cast<double>(random.below(4000) + 1) / 1000;
            request.response_times = random.below(3) == 0 ? 1000 : random.below(20);
            request.buckets = random.below(2) == 0 ? 0 : random.below(30) + 1;
            request.orphan_after_us = 600'000'000;
            CAPTURE(round, request.hours, request.buckets);
            const auto wanted = stats_answer(log.snapshot(), request, utc, {});
            CHECK(with_summaries(log, request, known, round % 2 == 0) == wanted);
        }
    }
}

TEST_CASE("runs of segments that are remembered together make no difference") {
    std::size_t runs = 0;  // that some of it has come from
    for (unsigned seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        log_maker random(seed);
        test_log log;
        for (int segment = 0; segment < 40; ++segment) {
            std::vector<std::string> lines(random.below(12) + 1);
            for (auto& line : lines)
                line = random.line();
            log.append(lines).seal();
        }
        const std::size_t length = random.below(4) + 2;
        summaries known(true, utc, summaries::default_cache_bytes, length);
        summarise(log, known, random);
        for (int round = 0; round < 16; ++round) {
            stats_request request;
            request.now_us =
                round == 0 ? noon_us : noon_us - static_cast<std::int64_t>(random.below(span_us));
            request.hours = round == 0 ? 87600 : static_cast<double>(random.below(4000) + 1) / 1000;
            request.response_times = random.below(20);
            request.buckets = random.below(2) == 0 ? 0 : random.below(4) + 1;
            request.orphan_after_us = 600'000'000;
            CAPTURE(round, request.hours, request.buckets);
            const auto wanted = stats_answer(log.snapshot(), request, utc, {});
            CHECK(with_summaries(log, request, known, round % 2 == 0) == wanted);
            CHECK(with_summaries(log, request, known, round % 2 == 1) == wanted);
        }
        const auto snapshot = log.snapshot();
        std::vector<livelogd::summary::shared_summary> segments;
        for (std::size_t i = 0; i < snapshot.sealed->size(); ++i) {
            segments.push_back(known.of(snapshot, i));
            if (!known.runs().ends_with(snapshot.segment(i).first_id)) continue;
            if (known.runs().find(segments)) ++runs;
            segments.clear();
        }
    }
    CHECK(runs > 16);
}

TEST_CASE("more open requests than are kept make no difference between summaries and a scan") {
    for (unsigned seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        log_maker random(seed);
        const std::size_t ids = 900 * seed;  // the fewer, the more responses find a request
        test_log log;
        std::size_t sent = 0;
        for (int segment = 0; segment < 6; ++segment) {
            std::vector<std::string> lines;
            for (int i = 0; i < 900; ++i) {
                // Stretches of requests, of responses, and of both.
                const bool request = random.below(10) < (segment % 3 == 0 ? 9u : segment % 3 == 1 ? 2u : 5u);
                const auto id = std::to_string(request && random.below(2) == 0 ? ++sent : random.below(ids));
                lines.push_back(R"({"timestamp":"2025-06-26T11:00:00Z","type":")"
                                + std::string(request ? "request" : "response") + R"(","request_id":")" + id
                                + R"(","model":)" + (request ? "\"m" + id + "\"" : "null") + "}");
            }
            log.append(lines);
            if (segment < 5) log.seal();
        }
        summaries known(true, utc);
        summarise(log, known, random);
        stats_request request;
        request.now_us = noon_us;
        request.orphan_after_us = 600'000'000;
        const auto wanted = stats_answer(log.snapshot(), request, utc, {});
        CHECK(with_summaries(log, request, known, true) == wanted);
        CHECK(wanted.find(R"("orphaned_count":0,)") == std::string::npos);
    }
}

TEST_CASE("the window of a filter is no reason to read everything, and counts exactly") {
    log_maker random(4711);
    test_log log;
    for (int segment = 0; segment < 4; ++segment) {
        std::vector<std::string> lines(50);
        for (auto& line : lines)
            line = random.line();
        log.append(lines).seal();
    }
    summaries known(true, utc);
    summarise(log, known, random);
    for (const char* until : {"2025-06-26T08:05:00Z", "2025-06-26T08:30:00Z", "2025-06-26T11:00:00Z"}) {
        stats_request request;
        request.hours = 87600;
        request.now_us = noon_us;
        livelogd::filter::filter_words words;
        words.since = {"2025-06-26T08:02:00Z"};
        words.until = {until};
        request.filter = livelogd::test::filter_of(words);
        CHECK(with_summaries(log, request, known, true) == stats_answer(log.snapshot(), request, utc, {}));
    }
}

TEST_CASE("what is wrong with a summary is not believed") {
    log_maker random(17);
    test_log log;
    std::vector<std::string> lines(80);
    for (auto& line : lines)
        line = random.line();
    log.append(lines).seal();
    stats_request request;
    request.hours = 1.85;  // begins among the records
    request.now_us = noon_us - span_us + 2 * 3600 * std::int64_t{1'000'000};
    const auto snapshot = log.snapshot();
    const auto id = snapshot.segment(0).first_id;
    const auto name = snapshot.directory / livelogd::summary::summary_name(id);
    const auto write = [&] {
        summaries known(true, utc);
        const auto fd = livelogd::storage::open_segment(snapshot, 0);
        summary_builder built(id, utc, page_size);
        REQUIRE(built.extend(fd.get(), snapshot.segment(0).bytes, true, {}));
        REQUIRE(livelogd::summary::write_summary(snapshot.directory, known.subject_of(id, fd.get()), built));
    };
    write();
    const auto wanted = stats_answer(log.snapshot(), request, utc, {});
    const auto size = std::filesystem::file_size(name);

    SECTION("any damaged byte") {
        for (std::uintmax_t at = 0; at < size; at += 1 + size / 300) {
            std::fstream file(name, std::ios::in | std::ios::out | std::ios::binary);
            file.seekg(static_cast<std::streamoff>(at));
            const auto byte = static_cast<char>(file.get());
            file.seekp(static_cast<std::streamoff>(at));
            file.put(static_cast<char>(byte ^ 0x55));
            file.close();
            CAPTURE(at);
            summaries known(true, utc);
            CHECK(with_summaries(log, request, known, false) == wanted);
            write();
        }
    }
    SECTION("any length") {
        for (std::uintmax_t left = 0; left < size; left += 1 + size / 50) {
            std::filesystem::resize_file(name, left);
            summaries known(true, utc);
            CHECK(with_summaries(log, request, known, false) == wanted);
            write();
        }
    }
    SECTION("a segment that has been edited") {
        std::fstream file(log.file(0), std::ios::in | std::ios::out | std::ios::binary);
        file << R"({"type":"request","x":")";
        file.close();
        std::filesystem::last_write_time(
            log.file(0), std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
        summaries known(true, utc);
        CHECK(known.of(snapshot, 0) == nullptr);
        CHECK(known.take_missing().contains(id));
        CHECK(with_summaries(log, request, known, false) == stats_answer(log.snapshot(), request, utc, {}));
    }
    SECTION("another time zone") {
        const auto berlin = livelogd::base::time_zone::named("Europe/Berlin");
        summaries known(true, berlin);
        CHECK(known.of(snapshot, 0) == nullptr);
    }
    SECTION("a file that vanishes after its head was read") {
        summaries known(true, utc);
        REQUIRE(known.of(snapshot, 0) != nullptr);
        std::filesystem::remove(name);
        CHECK(with_summaries(log, request, known, false) == wanted);
        CHECK(known.take_missing().contains(id));
    }
}
