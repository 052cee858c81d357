// SPDX-License-Identifier: MIT
#include "daemon/query/recent.hpp"

#include "daemon/query/log_changed.hpp"
#include "daemon/query/stopped.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/filters.hpp"
#include "tests/unit/query/test_log.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <deque>
#include <random>

using livelogd::filter::record_filter;
using livelogd::query::recent_answer;
using livelogd::query::test::recent;
using livelogd::query::test::recent_pieces;
using livelogd::query::test::test_log;

namespace {

std::string numbered(int n, const std::string& type = "event", std::size_t padding = 0) {
    return R"({"n":)" + std::to_string(n) + R"(,"type":")" + type + R"(","text":")"
           + std::string(padding, 'x') + "\"}";
}

/// What the answer has to be, given the records in it.
template <class Lines>
std::string array_of(const Lines& lines) {
    std::string text = "[";
    for (const auto& line : lines) {
        if (text.size() > 1) text += ",\n";
        text += line;
    }
    return text + "]\n";
}

std::size_t open_files() {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

/// Read calls of this process so far, where the system counts them.
std::optional<long> read_calls() {
    std::ifstream counters("/proc/self/io");
    std::string name;
    long value = 0;
    while (counters >> name >> value)
        if (name == "syscr:") return value;
    return std::nullopt;
}

}  // namespace

TEST_CASE("an empty log is an empty array") {
    CHECK(recent(test_log().snapshot(), 100) == "[]\n");
    test_log log;
    log.append({numbered(1)});
    CHECK(recent(log.snapshot(), 100, {"no such type"}) == "[]\n");
    CHECK(recent(log.snapshot(), 0) == "[]\n");
    CHECK(recent_pieces(log.snapshot(), 100).size() == 1);
}

TEST_CASE("the newest records come oldest first, as they are stored") {
    test_log log;
    const std::vector<std::string> lines = {
        R"({"a":1,"a":2,"n":4294967296,"e":1e400,"f":0.10})",
        R"({"s":"\u00e9\/\n","t":"é"})",
        R"({})",
    };
    log.append(lines);
    CHECK(recent(log.snapshot(), 100) == array_of(lines));
    CHECK(recent(log.snapshot(), 3) == array_of(lines));
    CHECK(recent(log.snapshot(), 2) == array_of(std::vector{lines[1], lines[2]}));
    CHECK(recent(log.snapshot(), 1) == "[{}]\n");
}

TEST_CASE("an answer that is complete says so again and adds nothing") {
    test_log log;
    log.append({numbered(1)});
    recent_answer answer(log.snapshot(), {}, {});
    std::string out = "before ";
    CHECK_FALSE(answer.next(out));
    CHECK(out == "before [" + numbered(1) + "]\n");
    CHECK_FALSE(answer.next(out));
    CHECK(out == "before [" + numbered(1) + "]\n");
}

TEST_CASE("recent goes back over segments, empty and removed ones too") {
    test_log log;
    log.append({numbered(1), numbered(2)}).seal();
    log.append({numbered(3)}).seal(500);
    log.append({numbered(4), numbered(5)}).seal();
    const auto snapshot = log.snapshot();
    CHECK(recent(snapshot, 100)
          == array_of(std::vector{numbered(1), numbered(2), numbered(3), numbered(4), numbered(5)}));
    CHECK(recent(snapshot, 4) == array_of(std::vector{numbered(2), numbered(3), numbered(4), numbered(5)}));
    CHECK(recent(snapshot, 2) == array_of(std::vector{numbered(4), numbered(5)}));
    std::filesystem::remove(log.file(1));
    CHECK(recent(snapshot, 3) == array_of(std::vector{numbered(2), numbered(4), numbered(5)}));
}

TEST_CASE("the search looks on until it has as many matches as are asked for") {
    test_log log;
    for (int n = 0; n < 300; ++n) {
        log.append({numbered(n, n % 3 == 0 ? "request" : n % 3 == 1 ? "response" : "event")});
        if (n % 70 == 69) log.seal();
    }
    std::vector<std::string> api;
    std::vector<std::string> events;
    for (int n = 0; n < 300; ++n)
        if (n % 3 == 2) {
            events.push_back(numbered(n));
        } else {
            api.push_back(numbered(n, n % 3 == 0 ? "request" : "response"));
        }
    CHECK(recent(log.snapshot(), 1000, {"api"}) == array_of(api));
    CHECK(recent(log.snapshot(), 1000, {"event"}) == array_of(events));
    CHECK(recent(log.snapshot(), 90, {"event"}) == array_of(std::vector(events.end() - 90, events.end())));
    CHECK(recent(log.snapshot(), 50, {"api"}) == array_of(std::vector(api.end() - 50, api.end())));
}

TEST_CASE("lines that are no records never go out") {
    test_log log;
    const std::vector<std::string> good = {numbered(1), numbered(2), numbered(3), numbered(4)};
    log.append({"", good[0], "broken by hand", good[1], R"({"n":2.5)", R"([1])", good[2]}).seal();
    log.append({std::string("\0\0\0", 3), "{\"x\":\"\xff\"}", good[3], "\"text\"", ""});
    CHECK(recent(log.snapshot(), 100) == array_of(good));
    CHECK(recent(log.snapshot(), 4) == array_of(good));
    CHECK(recent(log.snapshot(), 3) == array_of(std::vector(good.begin() + 1, good.end())));
}

TEST_CASE("bytes behind the published length are not there yet") {
    test_log log;
    log.append({numbered(1)});
    const auto snapshot = log.snapshot();
    log.append({numbered(2)});
    CHECK(recent(snapshot, 100) == array_of(std::vector{numbered(1)}));
}

TEST_CASE("a large answer comes in pieces of bounded size that are together what is stored") {
    test_log log;
    std::vector<std::string> lines;
    // Records of all sizes, some larger than a piece, some just about as large as one.
    std::mt19937 random(7);
    for (int n = 0; n < 1500; ++n) {
        const std::size_t size = n % 400 == 399   ? 700'000
                                 : n % 400 == 200 ? (256u << 10) - 30
                                                  : random() % 2000;
        lines.push_back(numbered(n, n % 5 == 0 ? "request" : "event", size));
        log.append({lines.back()});
        if (n % 500 == 499) log.seal();
    }
    constexpr std::size_t largest_piece = 300'000;
    const auto check = [&](std::size_t count, const std::vector<std::string>& types,
                           const std::string& wanted) {
        const auto pieces = recent_pieces(log.snapshot(), count, types);
        CHECK(pieces.size() >= wanted.size() / largest_piece);
        std::string whole;
        for (const std::string& piece : pieces) {
            CHECK(piece.size() <= largest_piece);
            CHECK_FALSE(piece.empty());
            whole += piece;
        }
        // Not CHECK(whole == wanted): a failure would print megabytes.
        const bool same = whole == wanted;
        CHECK(same);
        CHECK(boost::json::parse(whole).as_array().size() <= count);
    };
    check(100'000, {}, array_of(lines));
    check(333, {}, array_of(std::vector(lines.end() - 333, lines.end())));
    std::vector<std::string> requests;
    for (std::size_t n = 0; n < lines.size(); n += 5)
        requests.push_back(lines[n]);
    check(100'000, {"request"}, array_of(requests));
    check(7, {"request"}, array_of(std::vector(requests.end() - 7, requests.end())));
}

TEST_CASE("random logs, counts and filters give what a list in memory gives") {
    std::mt19937 random(20250626);
    const std::vector<std::string> kinds = {"request", "response", "event", "broken"};
    for (int round = 0; round < 60; ++round) {
        test_log log;
        std::vector<std::pair<std::string, std::string>> all;  // kind, line
        const auto count = static_cast<int>(random() % 400);
        for (int n = 0; n < count; ++n) {
            const std::string& kind = kinds[random() % kinds.size()];
            const std::size_t padding = random() % 50 == 0 ? 20'000 : random() % 100;
            std::string line = numbered(n, kind, padding);
            if (kind == "broken") line.pop_back();
            log.append({line});
            all.emplace_back(kind, line);
            if (random() % 60 == 0) log.seal(random() % 3);
        }
        const std::string type = round % 3 == 0 ? "all" : kinds[random() % 3];
        const std::size_t lines = 1 + random() % 200;
        std::deque<std::string> wanted;
        for (auto i = all.rbegin(); i != all.rend() && wanted.size() < lines; ++i)
            if (i->first != "broken" && (type == "all" || type == i->first)) wanted.push_front(i->second);
        CAPTURE(round, type, lines);
        const bool same = recent(log.snapshot(), lines, {type}) == array_of(wanted);
        CHECK(same);
    }
}

TEST_CASE("only segments with wanted records stay open, until their records are out") {
    test_log log;
    for (int segment = 0; segment < 6; ++segment)
        log.append({numbered(segment, segment == 4 ? "rare" : "event", 300'000)}).seal();
    const std::size_t before = open_files();
    {
        recent_answer answer(log.snapshot(),
                             {.filter = livelogd::test::filter_of_types({"rare"}), .lines = 5}, {});
        std::string out;
        CHECK(answer.next(out));
        CHECK(open_files() == before + 1);
        while (answer.next(out)) {
        }
        CHECK(open_files() == before);
    }
    {
        recent_answer answer(log.snapshot(), {.filter = record_filter(), .lines = 3}, {});
        std::string out;
        CHECK(answer.next(out));
        CHECK(open_files() == before + 3);
    }
    CHECK(open_files() == before);
}

TEST_CASE("retention that removes a segment does not cut an answer short") {
    test_log log;
    std::vector<std::string> lines;
    for (int n = 0; n < 6; ++n) {
        lines.push_back(numbered(n, "event", 200'000));
        log.append({lines.back()}).seal();
    }
    recent_answer answer(log.snapshot(), {}, {});
    std::string out;
    CHECK(answer.next(out));
    for (std::size_t i = 0; i < 6; ++i)
        std::filesystem::remove(log.file(i));
    while (answer.next(out)) {
    }
    const bool same = out == array_of(lines);
    CHECK(same);
}

TEST_CASE("a file that is cut under the answer ends it with an error") {
    test_log log;
    for (int n = 0; n < 10; ++n)
        log.append({numbered(n, "event", 100'000)});
    recent_answer answer(log.snapshot(), {}, {});
    std::string out;
    CHECK(answer.next(out));
    std::filesystem::resize_file(log.file(0), 600'000);
    CHECK(answer.next(out));
    CHECK_THROWS_WITH(answer.next(out), "a log segment was cut while it was read");
}

TEST_CASE("a file that was cut before the search gives its whole lines") {
    test_log log;
    log.append({numbered(1), numbered(2)});
    std::filesystem::resize_file(log.file(0), numbered(1).size() + 5);
    CHECK(recent(log.snapshot(), 100) == array_of(std::vector{numbered(1)}));
}

TEST_CASE("a strict answer is refused where a file holds less than it did") {
    test_log log;
    log.append({R"({"n":1})", R"({"n":2})"});
    std::filesystem::resize_file(log.file(0), 10);
    recent_answer answer(log.snapshot(), {.filter = {}, .lines = 5, .strict = true}, {});
    std::string out;
    CHECK_THROWS_AS(answer.next(out), livelogd::query::log_changed);
}

TEST_CASE("recent stops when nobody waits any more") {
    test_log log;
    for (int n = 0; n < 10; ++n)
        log.append({numbered(n, "event", 100'000)});
    std::stop_source stop;
    recent_answer answer(log.snapshot(), {}, stop.get_token());
    std::string out;
    CHECK(answer.next(out));
    stop.request_stop();
    CHECK_THROWS_AS(answer.next(out), livelogd::query::stopped);
    recent_answer late(log.snapshot(), {}, stop.get_token());
    CHECK_THROWS_AS(late.next(out), livelogd::query::stopped);
}

TEST_CASE("records that stand near each other are read together") {
    if (!read_calls()) {
        WARN("this system does not count read calls");
        return;
    }
    test_log log;
    std::vector<std::string> lines;
    for (int n = 0; n < 20'000; ++n)
        lines.push_back(numbered(n, n % 2 == 0 ? "even" : "odd", 60));
    log.append(lines);
    const long before = *read_calls();
    const std::string answer = recent(log.snapshot(), 100'000, {"even"});
    const long calls = *read_calls() - before;
    CHECK(std::count(answer.begin(), answer.end(), '\n') == 10'000);
    CHECK(calls < 50);  // 2 MB read twice
}
