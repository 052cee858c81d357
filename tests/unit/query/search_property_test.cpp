// SPDX-License-Identifier: MIT
// Searches pass over whole blocks of lines. Here random logs, in which texts are spelled in every way that
// JSON knows, are searched in both directions, and gone through a second time in the plainest way.
#include "daemon/query/record_search.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/test_log.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace livelogd;
using query::test::test_log;
using query::test::utc;

namespace {

using ids = std::vector<protocol::record_id>;

/// A character, and how a string may spell it.
struct character {
    std::string utf8;
    std::vector<std::string> spellings;
};

const std::vector<character> alphabet{
    {"a", {"a", "a", "a", "a", "\\u0061"}},
    {"B", {"B", "B", "B", "\\u0042"}},
    {"k", {"k", "k", "k", "\\u006B", "\\u006b"}},
    {"7", {"7", "7", "7", "\\u0037"}},
    {" ", {" ", " ", "\\u0020"}},
    {"/", {"/", "/", "\\/", "\\u002f"}},
    {"\"", {"\\\"", "\\u0022"}},
    {"\\", {"\\\\", "\\u005c"}},
    {"\n", {"\\n", "\\n", "\\u000a"}},
    {"<", {"<", "\\u003c"}},
    {"u0061", {"u0061"}},
    {"\u00fc", {"\u00fc", "\\u00fc", "\\u00FC"}},
    {"\u65e5", {"\u65e5", "\\u65e5", "\\u65E5"}},
    {"\U0001F600", {"\U0001F600", "\\ud83d\\ude00", "\\uD83D\\uDE00"}},
    {"\uFFFD", {"\uFFFD", "\\ufffd", "\\ude00"}},  // half a surrogate pair is read as this one
    {"\u212A", {"\u212A", "\\u212a"}},             // the sign of Kelvin, which is no k here
};

struct spelled {
    std::string as_stored;
    std::string characters;
};

class maker {
  public:
    explicit maker(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return random_() % n; }

    spelled text(std::size_t most, std::size_t letters) {
        spelled made;
        for (std::size_t i = below(most + 1); i > 0; --i) {
            const character& one = alphabet[below(letters)];
            made.as_stored += one.spellings[below(one.spellings.size())];
            made.characters += one.utf8;
        }
        return made;
    }

    /// A line and what is searched of it; nothing of one that is no record.
    std::pair<std::string, std::string> line() {
        const std::size_t letters = 2 + below(alphabet.size() - 1);
        const spelled key = text(4, letters);
        const spelled value = text(below(40) == 0 ? 4000 : 25, letters);
        std::string stored = R"({"t":")" + key.as_stored + R"(","v":")" + value.as_stored + "\"";
        std::string searched = R"({"t":")" + key.characters + R"(","v":")" + value.characters + "\"";
        const std::string end = R"(,"n":)" + std::to_string(below(3)) + "}";
        stored += end;
        searched += end;
        if (below(15) == 0) return {stored.substr(0, stored.size() / 2), ""};
        return {stored, searched};
    }

    /// Of what is searched, or of nothing that is there.
    std::string needle(const std::vector<std::string>& searched) {
        std::string wanted;
        while (wanted.empty() && below(5) != 0) {
            const std::string& from = searched[below(searched.size())];
            if (from.empty()) continue;
            std::size_t begin = below(from.size());
            while (begin > 0 && is_within_character(from, begin))
                --begin;
            std::size_t end = std::min(from.size(), begin + 1 + below(6));
            while (end < from.size() && is_within_character(from, end))
                ++end;
            wanted = from.substr(begin, end - begin);
        }
        if (wanted.empty()) wanted = "x" + text(4, alphabet.size()).characters;
        for (char& c : wanted)
            if (below(3) == 0 && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        return wanted;
    }

  private:
    static bool is_within_character(const std::string& text, std::size_t at) {
        return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    }

    std::mt19937 random_;
};

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

template <class Search>
ids found_by(const test_log& log, const filter::record_filter& filter, query::id_limits limits) {
    storage::line_counts lines;
    const auto snapshot = log.snapshot();
    Search search(snapshot, filter, limits, {.lines = lines, .zone = utc});
    query::found_record record;
    ids found;
    while (search.next(record) == query::search_step::found)
        found.push_back(record.id);
    return found;
}

ids found_both_ways(const test_log& log, const filter::record_filter& filter, query::id_limits limits = {}) {
    ids forward = found_by<query::forward_search>(log, filter, limits);
    ids backward = found_by<query::backward_search>(log, filter, limits);
    std::ranges::reverse(backward);
    CHECK(forward == backward);
    return forward;
}

/// A log, and what is searched of each record by its id.
struct random_log {
    test_log log;
    std::vector<std::pair<protocol::record_id, std::string>> lines;
    std::vector<std::string> searched;

    explicit random_log(maker& make) {
        for (std::size_t count = 1 + make.below(120); count > 0; --count) {
            auto [stored, text] = make.line();
            lines.emplace_back(log.snapshot().next_id, stored);
            searched.push_back(text);
            log.append({stored});
            if (make.below(40) == 0) log.seal(make.below(3));
        }
    }
};

}  // namespace

TEST_CASE("a text is found in every record that holds it, however it is spelled there") {
    maker make(20261127);
    std::size_t found = 0;
    for (int round = 0; round < 400; ++round) {
        const random_log made(make);
        for (int search = 0; search < 10; ++search) {
            filter::filter_words words;
            words.search = {make.needle(made.searched)};
            if (make.below(4) == 0) words.search.push_back(make.needle(made.searched));
            query::id_limits limits;
            if (make.below(3) == 0) limits.after = test_log::first_id + make.below(100);
            if (make.below(3) == 0) limits.before = test_log::first_id + make.below(100);
            ids wanted;
            for (std::size_t i = 0; i < made.lines.size(); ++i) {
                const auto id = made.lines[i].first;
                const bool holds = std::ranges::any_of(words.search, [&](const std::string& text) {
                    return lower(made.searched[i]).find(lower(text)) != std::string::npos;
                });
                if (holds && id > limits.after && id < limits.before) wanted.push_back(id);
            }
            CAPTURE(round, words.search, limits.after, limits.before);
            CHECK(found_both_ways(made.log, livelogd::test::filter_of(words), limits) == wanted);
            found += wanted.size();
        }
    }
    CHECK(found > 10'000);
}

TEST_CASE("a search finds what its filter lets through, record by record") {
    maker make(7);
    const std::array<std::string, 10> forms{"v:\"%\"",   "v:*% t:*",  "t:(\"%\"|\"a\")", "-v:* \"%\"",
                                            "n:2 \"%\"", "n>0 \"%\"", "model:\"%\"",     "-\"%\" v:*",
                                            "v:/a.*7/",  "t.v:\"%\""};
    std::size_t found = 0;
    for (int round = 0; round < 300; ++round) {
        const random_log made(make);
        for (const std::string& form : forms) {
            std::string quoted;
            for (const char c : make.text(3, alphabet.size()).characters)
                quoted += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
            std::string expression = form;
            // Without quotes only what has no meaning of its own.
            const bool bare = form.find("\"%\"") == std::string::npos;
            if (const auto at = expression.find('%'); at != std::string::npos)
                expression.replace(at, 1, bare ? "k" : quoted);
            const auto filter = livelogd::test::filter_of_q({expression});
            ids wanted;
            for (std::size_t i = 0; i < made.lines.size(); ++i)
                if (!made.searched[i].empty() && livelogd::test::passes(filter, made.lines[i].second))
                    wanted.push_back(made.lines[i].first);
            CAPTURE(round, expression);
            CHECK(found_both_ways(made.log, filter) == wanted);
            found += wanted.size();
        }
    }
    CHECK(found > 10'000);
}

TEST_CASE("the model in a response that a record carries as a text is found too") {
    test_log log;
    const std::vector<std::string> records{
        R"({"type":"response","response_body":"{\"model\":\"org\\/small\"}"})",
        R"({"type":"response","response_body":"{\"model\":\"org/sm\\u0061ll\"}"})",
        R"({"type":"response","response_body":"{\"model\":\"org/sm\\\u0075\u0030061ll\"}"})",
        R"({"type":"response","response_body":{"model":"org\/small"}})",
        R"({"type":"response","response_body":{"model":"org/other"}})",
    };
    log.append(records);
    filter::filter_words words;
    words.model = {"org/small"};
    const auto filter = livelogd::test::filter_of(words);
    ids wanted;
    for (std::size_t i = 0; i < records.size(); ++i)
        if (livelogd::test::passes(filter, records[i])) wanted.push_back(test_log::first_id + i);
    CHECK(wanted.size() == 4);
    CHECK(found_both_ways(log, filter) == wanted);
}

TEST_CASE("what is passed over counts as looked at") {
    test_log log;
    std::vector<std::string> lines(4000, R"({"text":")" + std::string(500, 'x') + "\"}");
    lines[1234] = R"({"text":"needle"})";
    log.append(lines);
    const auto snapshot = log.snapshot();
    filter::filter_words words;
    words.search = {"needle"};
    const auto filter = livelogd::test::filter_of(words);
    storage::line_counts counts;
    const query::search_context hurried{
        .lines = counts, .zone = utc, .deadline = std::chrono::steady_clock::now()};
    const protocol::record_id there = test_log::first_id + 1234;
    query::found_record record;

    query::backward_search backward(snapshot, filter, {}, hurried);
    protocol::record_id last = snapshot.next_id;
    query::search_step step{};
    while ((step = backward.next(record)) == query::search_step::out_of_time) {
        REQUIRE(backward.examined().value() < last);
        last = *backward.examined();
    }
    REQUIRE(step == query::search_step::found);
    CHECK(record.id == there);
    CHECK(backward.examined() == there);
    CHECK(last > there);
    while (backward.next(record) != query::search_step::end) {
    }
    CHECK(backward.examined() == test_log::first_id);

    query::forward_search forward(snapshot, filter, {.before = there + 1000}, hurried);
    last = 0;
    while ((step = forward.next(record)) == query::search_step::out_of_time) {
        REQUIRE(forward.examined().value() > last);
        last = *forward.examined();
    }
    REQUIRE(step == query::search_step::found);
    CHECK(record.id == there);
    while (forward.next(record) != query::search_step::end) {
    }
    CHECK(forward.examined() == there + 999);
}
