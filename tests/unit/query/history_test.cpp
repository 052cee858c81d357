// SPDX-License-Identifier: MIT
#include "daemon/query/history.hpp"

#include "daemon/query/log_changed.hpp"
#include "daemon/summary/stopped.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/test_log.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <deque>
#include <random>

using livelogd::query::history_answer;
using livelogd::query::history_request;
using livelogd::query::test::history;
using livelogd::query::test::history_pieces;
using livelogd::query::test::recent;
using livelogd::query::test::test_log;
using livelogd::query::test::utc;
using livelogd::test::filter_of_types;

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
    CHECK(history_pieces(log.snapshot(), {}).size() == 1);
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
    livelogd::storage::line_counts counts;
    history_answer answer(log.snapshot(), {}, {.lines = counts, .zone = utc});
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
        const auto pieces =
            history_pieces(log.snapshot(), {.filter = filter_of_types(types), .lines = count});
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
    livelogd::storage::line_counts counts;
    const std::size_t before = open_files();
    {
        history_answer answer(log.snapshot(), {.filter = filter_of_types({"rare"}), .lines = 5},
                              {.lines = counts, .zone = utc});
        std::string out;
        CHECK(answer.next(out));
        CHECK(open_files() == before + 1);
        while (answer.next(out)) {
        }
        CHECK(open_files() == before);
    }
    {
        history_answer answer(log.snapshot(), {.lines = 3}, {.lines = counts, .zone = utc});
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
    livelogd::storage::line_counts counts;
    history_answer answer(log.snapshot(), {}, {.lines = counts, .zone = utc});
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
    livelogd::storage::line_counts counts;
    history_answer answer(log.snapshot(), {}, {.lines = counts, .zone = utc});
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
    livelogd::storage::line_counts counts;
    CHECK_THROWS_AS(history_answer(log.snapshot(), {}, {.lines = counts, .zone = utc, .strict = true}),
                    livelogd::query::log_changed);
}

TEST_CASE("recent stops when nobody waits any more") {
    test_log log;
    for (int n = 0; n < 10; ++n)
        log.append({numbered(n, "event", 100'000)});
    std::stop_source stop;
    livelogd::storage::line_counts counts;
    const livelogd::query::search_context context{.lines = counts, .zone = utc, .stop = stop.get_token()};
    history_answer answer(log.snapshot(), {}, context);
    std::string out;
    CHECK(answer.next(out));
    stop.request_stop();
    CHECK_THROWS_AS(answer.next(out), livelogd::summary::stopped);
    CHECK_THROWS_AS(history_answer(log.snapshot(), {}, context), livelogd::summary::stopped);
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

namespace {

constexpr livelogd::protocol::record_id first = test_log::first_id;

livelogd::query::history_extent extent_of(const livelogd::storage::log_snapshot& snapshot,
                                          const history_request& request) {
    livelogd::storage::line_counts counts;
    return history_answer(snapshot, request, {.lines = counts, .zone = utc}).extent();
}

}  // namespace

TEST_CASE("before and after are limits that are outside, the answer is always oldest first") {
    test_log log;
    log.append({numbered(0), numbered(1), numbered(2)}).seal(10);  // first .. first + 2
    log.append({numbered(3), numbered(4)}).seal();                 // first + 13, first + 14
    log.append({numbered(5)});                                     // first + 15
    const auto snapshot = log.snapshot();
    const auto of = [](std::initializer_list<int> numbers) {
        std::vector<std::string> lines;
        for (const int n : numbers)
            lines.push_back(numbered(n));
        return array_of(lines);
    };
    CHECK(history(snapshot, {.lines = 2, .before = first + 2}) == of({0, 1}));
    CHECK(history(snapshot, {.lines = 2, .before = first + 13}) == of({1, 2}));
    CHECK(history(snapshot, {.lines = 2, .before = first + 7}) == of({1, 2}));
    CHECK(history(snapshot, {.lines = 9, .before = first}) == of({}));
    CHECK(history(snapshot, {.lines = 9, .before = 0}) == of({}));
    CHECK(history(snapshot, {.lines = 2, .after = 0}) == of({0, 1}));
    CHECK(history(snapshot, {.lines = 2, .after = first + 1}) == of({2, 3}));
    CHECK(history(snapshot, {.lines = 2, .after = first + 14}) == of({5}));
    CHECK(history(snapshot, {.lines = 2, .after = first + 15}) == of({}));
    CHECK(history(snapshot, {.lines = 9, .before = first + 15, .after = first}) == of({1, 2, 3, 4}));
    CHECK(history(snapshot, {.lines = 2, .before = first + 15, .after = first}) == of({1, 2}));
    CHECK(history(snapshot, {.lines = 9, .before = first + 1, .after = first}) == of({}));
}

TEST_CASE("ids come first in each record, and follow from the lines of the segment") {
    test_log log;
    log.append({R"({"a":1})", "broken", "{}", R"({"b":2})"}).seal(5);
    log.append({R"({"c":3})"});
    CHECK(history(log.snapshot(), {.form = {.ids = true}})
          == "[{\"livelog_id\":1000,\"a\":1},\n{\"livelog_id\":1002},\n{\"livelog_id\":1003,\"b\":2},\n"
             "{\"livelog_id\":1009,\"c\":3}]\n");
    CHECK(history(log.snapshot(), {.lines = 1, .before = 1003, .form = {.ids = true}})
          == "[{\"livelog_id\":1002}]\n");
    CHECK(history(log.snapshot(), {.format = livelogd::query::answer_format::ndjson, .form = {.ids = true}})
          == "{\"livelog_id\":1000,\"a\":1}\n{\"livelog_id\":1002}\n{\"livelog_id\":1003,\"b\":2}\n"
             "{\"livelog_id\":1009,\"c\":3}\n");
}

TEST_CASE("records of others that begin with blanks get their id too") {
    test_log log;
    log.append({"  {  } ", " { \"a\" : 1 }"});
    CHECK(history(log.snapshot(), {.form = {.ids = true}})
          == "[{\"livelog_id\":1000} ,\n{\"livelog_id\":1001,\"a\" : 1 }]\n");
}

TEST_CASE("an answer of lines is empty where there are none, and one record may stand bare") {
    test_log log;
    using livelogd::query::answer_format;
    CHECK(history(log.snapshot(), {.format = answer_format::ndjson}).empty());
    log.append({numbered(1), numbered(2)});
    CHECK(history(log.snapshot(), {.format = answer_format::ndjson})
          == numbered(1) + "\n" + numbered(2) + "\n");
    CHECK(history(log.snapshot(),
                  {.lines = 1, .before = first + 2, .after = first, .format = answer_format::bare})
          == numbered(2) + "\n");
}

TEST_CASE("what has been found and looked at is told") {
    test_log log;
    log.append({numbered(0, "a"), numbered(1, "b"), numbered(2, "a")}).seal(10);
    log.append({numbered(3, "a"), numbered(4, "b")});
    const auto check = [&](const history_request& request, std::optional<std::uint64_t> from,
                           std::optional<std::uint64_t> to, std::uint64_t scanned) {
        const auto told = extent_of(log.snapshot(), request);
        CHECK(told.first == from);
        CHECK(told.last == to);
        CHECK(told.scanned_to == scanned);
    };
    check({}, first, first + 14, 0);
    check({.lines = 2}, first + 13, first + 14, first + 13);
    check({.filter = filter_of_types({"a"}), .lines = 2}, first + 2, first + 13, first + 2);
    check({.filter = filter_of_types({"a"}), .lines = 4}, first, first + 13, 0);
    check({.filter = filter_of_types({"none"})}, {}, {}, 0);
    check({.lines = 2, .after = first}, first + 1, first + 2, first + 2);
    check({.after = first}, first + 1, first + 14, first + 14);
    check({.before = first + 14, .after = first}, first + 1, first + 13, first + 13);
    check({.after = first + 14}, {}, {}, first + 14);
    check({.after = first + 100}, {}, {}, first + 100);
    check({.filter = filter_of_types({"none"}), .after = first}, {}, {}, first + 14);
}

TEST_CASE("a search that is cut short tells how far it has come, and can be continued to the end") {
    test_log log;
    for (int n = 0; n < 3000; ++n) {
        log.append({numbered(n, n % 1000 == 0 ? "rare" : "event", n % 1000 == 0 ? 0 : 1000)});
        if (n % 700 == 0) log.seal();
    }
    for (const bool forward : {false, true}) {
        std::string all;
        history_request request{.filter = filter_of_types({"rare"}),
                                .format = livelogd::query::answer_format::ndjson};
        if (forward) request.after = 0;
        request.scan_time = std::chrono::milliseconds(0);
        int rounds = 0;
        for (; rounds < 1000; ++rounds) {
            const auto piece = history(log.snapshot(), request);
            all = forward ? all + piece : piece + all;
            const auto scanned = extent_of(log.snapshot(), request).scanned_to;
            if (scanned == 0 || scanned + 1 == log.snapshot().next_id) break;
            (forward ? request.after : request.before) = scanned;
        }
        CHECK(rounds > 3);
        CHECK(rounds < 1000);
        CHECK(all
              == numbered(0, "rare") + "\n" + numbered(1000, "rare") + "\n" + numbered(2000, "rare") + "\n");
    }
}

TEST_CASE("random limits, directions and forms give what a list in memory gives") {
    std::mt19937 random(4);
    for (int round = 0; round < 200; ++round) {
        test_log log;
        struct kept {
            std::uint64_t id;
            std::string line;
            std::string kind;
        };
        std::vector<kept> all;
        for (auto count = random() % 300; count > 0; --count) {
            const std::string kind = random() % 3 == 0 ? "a" : random() % 9 == 0 ? "broken" : "b";
            auto line = numbered(static_cast<int>(count), kind, random() % 40 == 0 ? 30'000 : random() % 200);
            if (kind == "broken") line.pop_back();
            all.push_back({log.snapshot().next_id, line, kind});
            log.append({line});
            if (random() % 40 == 0) log.seal(random() % 4);
        }
        const auto next = log.snapshot().next_id;
        history_request request{.lines = 1 + random() % 120};
        const bool filtered = random() % 2 == 0;
        if (filtered) request.filter = filter_of_types({"a"});
        if (random() % 2 == 0) request.before = first - 5 + random() % (next - first + 10);
        if (random() % 2 == 0) request.after = first - 5 + random() % (next - first + 10);
        request.form.ids = random() % 2 == 0;
        if (random() % 3 == 0) request.form.elide = 100;
        std::vector<std::string> wanted;
        for (const kept& one : all) {
            if (one.kind == "broken" || (filtered && one.kind != "a")) continue;
            if (request.before && one.id >= *request.before) continue;
            if (request.after && one.id <= *request.after) continue;
            std::string members = request.form.ids ? "\"livelog_id\":" + std::to_string(one.id) + "," : "";
            const auto text = one.line.find("\"text\":\"") + 8;
            const auto size = one.line.size() - text - 2;
            std::string shown = one.line;
            if (request.form.elide && size > 100) {
                members += "\"livelog_elided\":{\"text\":" + std::to_string(size) + "},";
                shown.replace(text + 100, size - 100, "…");
            }
            wanted.push_back("{" + members + shown.substr(1));
        }
        if (wanted.size() > request.lines) {
            if (request.after) {
                wanted.resize(request.lines);
            } else {
                wanted.erase(wanted.begin(), wanted.end() - static_cast<std::ptrdiff_t>(request.lines));
            }
        }
        CAPTURE(round);
        const bool same = history(log.snapshot(), request) == array_of(wanted);
        CHECK(same);
    }
}

TEST_CASE("an answer knows whether it keeps removed files from being freed") {
    test_log log;
    for (int n = 0; n < 3; ++n)
        log.append({numbered(n, "event", 400'000)}).seal();
    livelogd::storage::line_counts counts;
    history_answer answer(log.snapshot(), {}, {.lines = counts, .zone = utc});
    std::string out;
    CHECK(answer.next(out));
    CHECK_FALSE(answer.pins_removed_files());
    std::filesystem::remove(log.file(2));
    CHECK(answer.pins_removed_files());
    while (answer.next(out)) {
    }
    CHECK_FALSE(answer.pins_removed_files());
}
