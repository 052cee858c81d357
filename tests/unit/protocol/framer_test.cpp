// SPDX-License-Identifier: MIT
#include "protocol/framer.hpp"

#include "tests/support/catch.hpp"

#include <ostream>
#include <random>
#include <vector>

using livelogd::protocol::framed_line;
using livelogd::protocol::line_framer;
using livelogd::protocol::max_raw_bytes;

namespace {

struct seen_line {
    std::string bytes;
    std::uint64_t total = 0;
    framed_line::state what = framed_line::state::whole;

    friend bool operator==(const seen_line&, const seen_line&) = default;
    friend std::ostream& operator<<(std::ostream& out, const seen_line& line) {
        return out << '"' << line.bytes << "\" (" << line.total << " bytes, state " << int(line.what) << ')';
    }
};

using lines = std::vector<seen_line>;

/// Collects what a framer tells.
struct collector {
    lines& seen;
    void operator()(const framed_line& line) const {
        seen.push_back({std::string(line.bytes), line.total_bytes, line.what});
    }
};

seen_line whole(const std::string& text) {
    return {text, text.size(), framed_line::state::whole};
}

lines framed(std::string_view stream, std::size_t limit, std::size_t step) {
    line_framer framer(limit);
    lines seen;
    for (; stream.size() > step; stream.remove_prefix(step))
        framer.feed(stream.substr(0, step), collector{seen});
    framer.feed(stream, collector{seen});
    framer.finish(collector{seen});
    return seen;
}

/// The same in the plainest way.
lines expected_lines(std::string_view stream, std::size_t limit) {
    lines expected;
    while (!stream.empty()) {
        const std::size_t end = std::min(stream.find('\n'), stream.size());
        std::string line(stream.substr(0, end));
        stream.remove_prefix(std::min(end + 1, stream.size()));
        if (line.ends_with('\r')) line.pop_back();
        if (line.size() > limit) {
            expected.push_back({line.substr(0, max_raw_bytes), line.size(), framed_line::state::oversized});
        } else if (line.find_first_not_of(" \t\r") != std::string::npos) {
            expected.push_back(whole(line));
        }
    }
    return expected;
}

}  // namespace

TEST_CASE("lines end with LF or CRLF, the last one with the stream") {
    CHECK(framed("a\nb\r\n{\"c\":1}", 100, 1000) == lines{whole("a"), whole("b"), whole("{\"c\":1}")});
    CHECK(framed("a\r", 100, 1000) == lines{whole("a")});
    CHECK(framed("a\rb\n", 100, 1000) == lines{whole("a\rb")});
    CHECK(framed("a\n", 100, 1000) == lines{whole("a")});
    CHECK(framed("", 100, 1000).empty());
}

TEST_CASE("empty and blank lines are left out, other bytes are not looked at") {
    CHECK(framed("\n\r\n \n\t \r\n  ", 100, 1000).empty());
    CHECK(framed(" a \n", 100, 1000) == lines{whole(" a ")});
    CHECK(framed(std::string("\0\n\xFF\n", 4), 100, 1) == lines{whole(std::string(1, '\0')), whole("\xFF")});
}

TEST_CASE("a line of exactly the limit is whole, one byte more is not") {
    for (const std::size_t step : {1U, 3U, 1000U}) {
        CAPTURE(step);
        CHECK(framed("1234567890\n", 10, step) == lines{whole("1234567890")});
        CHECK(framed("1234567890\r\n", 10, step) == lines{whole("1234567890")});
        CHECK(framed("1234567890", 10, step) == lines{whole("1234567890")});
        CHECK(framed("1234567890\r", 10, step) == lines{whole("1234567890")});
        const lines over{{"12345678901", 11, framed_line::state::oversized}};
        CHECK(framed("12345678901\n", 10, step) == over);
        CHECK(framed("12345678901\r\n", 10, step) == over);
        CHECK(framed("12345678901", 10, step) == over);
        CHECK(framed("1234567890\r1\n", 10, step)
              == lines{{"1234567890\r1", 12, framed_line::state::oversized}});
    }
}

TEST_CASE("an oversized line is told with its beginning, and the next one is read") {
    const std::string text(10'000, 'x');
    for (const std::size_t step : {1U, 4096U, 4097U, 100'000U})
        CHECK(
            framed(text + "\r\nnext\n", 5000, step)
            == lines{{text.substr(0, max_raw_bytes), 10'000, framed_line::state::oversized}, whole("next")});
}

TEST_CASE("any split of the bytes gives the same lines") {
    std::mt19937 random(20251123);
    const auto pick = [&](std::size_t low, std::size_t high) {
        return std::uniform_int_distribution<std::size_t>(low, high)(random);
    };
    for (int round = 0; round < 400; ++round) {
        // Mostly line ends and blanks, so that every combination comes up, and a long run now and then.
        std::string stream;
        for (std::size_t n = pick(0, 60); n > 0; --n) {
            if (pick(0, 19) == 0) stream.append(pick(0, 6000), 'y');
            stream += "\n\n\r\r \tabc\"{}"[pick(0, 11)];
        }
        const std::size_t limit = pick(0, 3) == 0 ? pick(4000, 5000) : pick(1, 12);
        const lines expected = expected_lines(stream, limit);
        CAPTURE(round, limit);
        REQUIRE(framed(stream, limit, 1) == expected);
        REQUIRE(framed(stream, limit, stream.size() + 1) == expected);
        line_framer framer(limit);
        lines seen;
        for (std::size_t at = 0; at < stream.size();) {
            const std::size_t size = std::min(pick(1, 40) * pick(1, 40), stream.size() - at);
            framer.feed(std::string_view(stream).substr(at, size), collector{seen});
            REQUIRE(framer.held_bytes() <= std::max(limit + 1, max_raw_bytes));
            at += size;
        }
        framer.finish(collector{seen});
        REQUIRE(seen == expected);
    }
}

TEST_CASE("a gigabyte without a line end is never held") {
    line_framer framer(16 * 1024 * 1024);
    lines seen;
    const std::string chunk(1024 * 1024, 'z');
    std::size_t most = 0;
    for (int i = 0; i < 1024; ++i) {
        framer.feed(chunk, collector{seen});
        most = std::max(most, framer.held_bytes());
    }
    CHECK(most <= 16 * 1024 * 1024);
    CHECK(framer.held_bytes() == max_raw_bytes);
    CHECK_FALSE(framer.has_partial_line());
    CHECK(seen.empty());
    framer.feed("\n{}\n", collector{seen});
    CHECK(seen
          == lines{{chunk.substr(0, max_raw_bytes), 1024ULL * 1024 * 1024, framed_line::state::oversized},
                   whole("{}")});
    CHECK(framer.held_bytes() == 0);
}

TEST_CASE("an abandoned line is told once and skipped to its end") {
    for (const bool ends : {true, false}) {
        line_framer framer(100'000);
        lines seen;
        framer.feed("first\n" + std::string(5000, 'a'), collector{seen});
        CHECK(framer.has_partial_line());
        CHECK(framer.held_bytes() == 5000);
        framer.abandon(collector{seen});
        CHECK_FALSE(framer.has_partial_line());
        CHECK(framer.held_bytes() == 0);
        framer.abandon(collector{seen});
        framer.feed("the rest", collector{seen});
        CHECK(framer.held_bytes() == 0);
        framer.feed(std::string(200'000, 'b'), collector{seen});
        lines expected{whole("first"),
                       {std::string(max_raw_bytes, 'a'), 5000, framed_line::state::abandoned}};
        if (ends) {
            framer.feed(" of it\r\nnext\nlast", collector{seen});
            expected.push_back(whole("next"));
            expected.push_back(whole("last"));
        }
        framer.finish(collector{seen});
        CHECK(seen == expected);
    }
}

TEST_CASE("there may be nothing to abandon") {
    line_framer framer(10);
    lines seen;
    framer.abandon(collector{seen});
    framer.feed("a\n", collector{seen});
    framer.abandon(collector{seen});
    CHECK(seen == lines{whole("a")});

    // Blanks are no line yet: what follows them is not lost.
    framer.feed(" \t", collector{seen});
    framer.abandon(collector{seen});
    framer.feed("b\n", collector{seen});
    CHECK(seen == lines{whole("a"), whole("b")});

    // An oversized line holds next to nothing; it is told at its end, with its true length.
    framer.feed("0123456789ab", collector{seen});
    framer.abandon(collector{seen});
    framer.feed("cd\nc\n", collector{seen});
    CHECK(
        seen
        == lines{whole("a"), whole("b"), {"0123456789abcd", 14, framed_line::state::oversized}, whole("c")});
}

TEST_CASE("lines inside a chunk are not copied") {
    line_framer framer(100);
    const std::string chunk = "one\ntwo\r\nthree";
    std::vector<const char*> places;
    framer.feed(chunk, [&](const framed_line& line) { places.push_back(line.bytes.data()); });
    CHECK(places == std::vector<const char*>{chunk.data(), chunk.data() + 4});
    CHECK(framer.held_bytes() == 5);
}
