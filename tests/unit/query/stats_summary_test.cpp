// SPDX-License-Identifier: MIT
// Statistics with summaries are those of a scan, whatever the log and the window.
#include "daemon/query/stats.hpp"
#include "daemon/summary/summary_builder.hpp"
#include "daemon/summary/summary_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/test_log.hpp"

#include <array>
#include <cstdio>
#include <random>
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

constexpr std::int64_t noon_us = 1'750'939'200'000'000;  // 2025-06-26T12:00:00Z
constexpr std::int64_t span_us = 4 * 3600 * std::int64_t{1'000'000};
constexpr std::uint64_t page_size = 1500;  // a handful of records

class log_maker {
  public:
    explicit log_maker(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t limit) { return random_() % limit; }

    std::string pick(std::initializer_list<const char*> values) {
        return *(values.begin() + static_cast<std::ptrdiff_t>(below(values.size())));
    }

    std::string line() {
        if (below(40) == 0) return pick({"broken", "{\"type\":\"response\"", "[1]"});
        std::string text = "{\"timestamp\":" + timestamp();
        const auto id = std::to_string(below(12));
        switch (below(4)) {
            case 0:
                text += R"(,"type":"request","request_id":)" + quoted_or_not(id) + R"(,"endpoint":"e)" + id
                        + "\"";
                if (below(2) == 0)
                    text += R"(,"request_body":{"model":"m)" + std::to_string(below(3)) + "\"}";
                break;
            case 1:
            case 2:
                text += R"(,"type":"response","status_code":)" + pick({"200", "404", "500", "null"});
                if (below(8) != 0) text += ",\"request_id\":" + quoted_or_not(id);
                text += ",\"duration_ms\":" + pick({"12.50", "3", "1e3", "-1", "null", "0.125", "77777.7"});
                text += ",\"response_body\":{" + answer() + "}";
                break;
            default:
                text += R"(,"level":)" + pick({R"("ERROR")", R"("INFO")", R"("WARNING")"});
                text += R"(,"error_type":)" + pick({R"("ValueError")", R"("x\"y")", "null"});
        }
        return text + "}";
    }

  private:
    std::string quoted_or_not(const std::string& id) { return below(3) == 0 ? id : "\"r" + id + "\""; }

    std::string answer() {
        switch (below(4)) {
            case 0:
                return R"("model":"m1","usage":{"prompt_tokens":12,"completion_tokens":34}})"
                       + std::string(",\"x\":{");
            case 1:
                return R"("prompt_eval_count":7,"prompt_eval_duration":5000000,"eval_count":9,"eval_duration":90000000)";
            default:
                return R"("response":"hello")";
        }
    }

    std::string timestamp() {
        if (below(15) == 0) return pick({"null", R"("yesterday")", "17"});
        last_us_ += static_cast<std::int64_t>(below(40'000'000));
        const auto us = below(10) == 0 ? last_us_ - static_cast<std::int64_t>(below(600'000'000)) : last_us_;
        const std::time_t seconds = us / 1'000'000;
        std::tm wall{};
        ::gmtime_r(&seconds, &wall);
        std::array<char, 64> date{};
        std::array<char, 96> text{};
        std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &wall);
        std::snprintf(text.data(), text.size(), "\"%s.%06d\"", date.data(), static_cast<int>(us % 1'000'000));
        return text.data();
    }

    std::mt19937_64 random_;
    std::int64_t last_us_ = noon_us - span_us;
};

/// Writes the summaries that the keeper would have by now: of all sealed segments but perhaps one, and of a
/// part of the one that grows.
void summarise(const test_log& log, summaries& known, log_maker& random) {
    const auto snapshot = log.snapshot();
    for (std::size_t i = 0; i < snapshot.segment_count(); ++i) {
        const bool sealed = i < snapshot.sealed->size();
        const auto& segment = snapshot.segment(i);
        const auto fd = livelogd::storage::open_segment(snapshot, i);
        if (!fd || random.below(7) == 0) continue;
        summary_builder built(segment.first_id, utc, page_size);
        // In two steps, as it grows: the first ends with any whole line.
        const auto half = livelogd::storage::offset_of_line(fd.get(), segment.bytes, random.below(40));
        REQUIRE(built.extend(fd.get(), half, false, {}));
        REQUIRE(built.extend(fd.get(), segment.bytes, sealed, {}));
        const auto subject = known.subject_of(segment.first_id, fd.get());
        if (sealed) {
            REQUIRE(livelogd::summary::write_summary(snapshot.directory, subject, built));
        } else {
            known.publish(segment.first_id, subject.segment.inode, built.so_far());
        }
    }
}

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
        for (std::size_t segments = random.below(5); segments > 0; --segments) {
            std::vector<std::string> lines(random.below(60));
            for (auto& line : lines)
                line = random.line();
            log.append(lines).seal(random.below(3));
        }
        std::vector<std::string> lines(random.below(60));
        for (auto& line : lines)
            line = random.line();
        log.append(lines);
        summaries known(true, utc);
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
