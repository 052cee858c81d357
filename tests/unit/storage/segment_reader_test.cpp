// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_reader.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <algorithm>
#include <random>
#include <system_error>

using namespace livelogd::storage;
using namespace livelogd::storage::test;

namespace {

struct kept_line {
    std::uint64_t offset;
    std::string text;
    bool operator==(const kept_line&) const = default;
};

std::vector<kept_line> forward(int fd, std::uint64_t begin, std::uint64_t end, std::size_t block = 1u << 20) {
    std::vector<kept_line> lines;
    forward_reader reader(fd, begin, end, block);
    stored_line line;
    while (reader.next(line))
        lines.push_back({line.offset, std::string(line.bytes)});
    CHECK_FALSE(reader.next(line));
    return lines;
}

std::vector<kept_line> backward(int fd, std::uint64_t begin, std::uint64_t end) {
    std::vector<kept_line> lines;
    backward_reader reader(fd, begin, end);
    stored_line line;
    while (reader.previous(line))
        lines.push_back({line.offset, std::string(line.bytes)});
    CHECK_FALSE(reader.previous(line));
    std::reverse(lines.begin(), lines.end());
    return lines;
}

/// The slow way: every line of `text` in [begin, end) that has its LF there.
std::vector<kept_line> naive(const std::string& text, std::size_t begin, std::size_t end) {
    std::vector<kept_line> lines;
    const std::string range = text.substr(0, end);
    for (std::size_t at = begin; at < range.size();) {
        const std::size_t lf = range.find('\n', at);
        if (lf == std::string::npos) break;
        lines.push_back({at, range.substr(at, lf - at)});
        at = lf + 1;
    }
    return lines;
}

}  // namespace

TEST_CASE("both readers give every line of a range, with its offset") {
    const temp_dir dir;
    const std::string text = "{\"a\":1}\n{}\n\n{\"b\":2}\n";
    write_file(dir / "f", text);
    const auto fd = open_for_reading(dir / "f");

    const std::vector<kept_line> all{{0, "{\"a\":1}"}, {8, "{}"}, {11, ""}, {12, "{\"b\":2}"}};
    CHECK(forward(fd.get(), 0, text.size()) == all);
    CHECK(backward(fd.get(), 0, text.size()) == all);

    const std::vector<kept_line> middle{{8, "{}"}, {11, ""}};
    CHECK(forward(fd.get(), 8, 12) == middle);
    CHECK(backward(fd.get(), 8, 12) == middle);
}

TEST_CASE("an empty range and an empty file have no lines") {
    const temp_dir dir;
    write_file(dir / "f", "{}\n");
    write_file(dir / "empty", "");
    const auto fd = open_for_reading(dir / "f");
    const auto empty = open_for_reading(dir / "empty");
    for (const std::uint64_t at : {0u, 3u, 100u}) {
        CHECK(forward(fd.get(), at, at).empty());
        CHECK(backward(fd.get(), at, at).empty());
    }
    CHECK(forward(fd.get(), 3, 0).empty());
    CHECK(backward(fd.get(), 3, 0).empty());
    CHECK(forward(empty.get(), 0, 0).empty());
    CHECK(forward(empty.get(), 0, 1000).empty());
    CHECK(backward(empty.get(), 0, 1000).empty());
}

TEST_CASE("lines may be longer than the blocks that are read") {
    const temp_dir dir;
    std::mt19937 random(7);
    std::string text;
    for (const std::size_t size :
         {5u, 70'000u, 3u, 3'000'000u, 0u, 16'383u, 16'384u, 16'385u, 2'000'000u, 1u}) {
        for (std::size_t i = 0; i < size; ++i)
            text += static_cast<char>('a' + random() % 26);
        text += '\n';
    }
    write_file(dir / "f", text);
    const auto fd = open_for_reading(dir / "f");
    const auto all = naive(text, 0, text.size());
    REQUIRE(all.size() == 10);
    for (const std::size_t block : {1u, 7u, 4096u, 1u << 20}) {
        INFO("blocks of " << block);
        CHECK((forward(fd.get(), 0, text.size(), block) == all));
    }
    CHECK((backward(fd.get(), 0, text.size()) == all));
}

TEST_CASE("both readers agree with a plain split on random texts and ranges") {
    const temp_dir dir;
    for (unsigned seed = 1; seed <= 30; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random(seed);
        std::string text;
        std::vector<std::size_t> starts{0};
        const std::size_t most = seed % 3 == 0 ? 40'000 : seed % 3 == 1 ? 300 : 3;
        while (text.size() < 150'000 && starts.size() < 3000) {
            text.append(random() % (most + 1), static_cast<char>('a' + random() % 26));
            text += '\n';
            starts.push_back(text.size());
        }
        write_file(dir / "f", text);
        const auto fd = open_for_reading(dir / "f");
        for (int i = 0; i < 10; ++i) {
            std::size_t begin = starts[random() % starts.size()];
            std::size_t end = starts[random() % starts.size()];
            if (begin > end) std::swap(begin, end);
            const auto expected = naive(text, begin, end);
            REQUIRE((forward(fd.get(), begin, end, 1 + random() % 5000) == expected));
            REQUIRE((backward(fd.get(), begin, end) == expected));
        }
    }
}

TEST_CASE("a file that is shorter than its published length ends the reading, and half a line is none") {
    const temp_dir dir;
    std::string text;
    for (int i = 0; i < 5000; ++i)
        text += record_of(static_cast<std::uint64_t>(i), 40);
    write_file(dir / "f", text);
    for (const std::size_t cut : {0u, 1u, 39u, 40u, 41u, 16'384u, 100'000u, 199'999u}) {
        INFO("cut to " << cut);
        write_file(dir / "f", text.substr(0, cut));
        const auto fd = open_for_reading(dir / "f");
        const auto expected = naive(text, 0, cut);
        CHECK((forward(fd.get(), 0, text.size()) == expected));
        CHECK((backward(fd.get(), 0, text.size()) == expected));
    }
}

TEST_CASE("a file that is truncated while it is read ends the reading early") {
    const temp_dir dir;
    std::string text;
    for (int i = 0; i < 100'000; ++i)
        text += record_of(static_cast<std::uint64_t>(i), 40);
    write_file(dir / "f", text);
    const auto fd = open_for_reading(dir / "f");
    const auto all = naive(text, 0, text.size());

    SECTION("forward: what comes is a beginning of the file") {
        forward_reader reader(fd.get(), 0, text.size(), 64 << 10);
        stored_line line;
        std::size_t lines = 0;
        for (; lines < 10; ++lines)
            REQUIRE(reader.next(line));
        fs::resize_file(dir / "f", 1'000'010);
        while (reader.next(line)) {
            REQUIRE((kept_line{line.offset, std::string(line.bytes)} == all[lines]));
            ++lines;
        }
        CHECK(lines == 25'000);
    }
    SECTION("backward: nothing that comes is wrong, and no half line comes") {
        backward_reader reader(fd.get(), 0, text.size());
        stored_line line;
        for (std::size_t i = 0; i < 10; ++i)
            REQUIRE(reader.previous(line));
        fs::resize_file(dir / "f", 1'000'010);
        std::uint64_t last = line.offset;
        std::size_t below_the_cut = 0;
        while (reader.previous(line)) {
            REQUIRE(line.offset < last);
            last = line.offset;
            REQUIRE(line.offset % 40 == 0);
            REQUIRE((line.bytes == all[line.offset / 40].text));
            if (line.offset < 1'000'000) ++below_the_cut;
        }
        CHECK(below_the_cut == 25'000);
    }
}

TEST_CASE("a cut inside a line of many blocks leaves the lines before it") {
    const temp_dir dir;
    // The last line is longer than several blocks.
    const std::string text = record_of(1, 100) + record_of(2, 40'000) + record_of(3, 400'000);
    write_file(dir / "f", text);
    const auto fd = open_for_reading(dir / "f");
    for (const std::size_t cut : {99u, 100u, 101u, 30'000u, 40'100u, 40'101u, 200'000u, 440'099u}) {
        INFO("cut to " << cut);
        fs::resize_file(dir / "f", 0);
        write_file(dir / "f", text.substr(0, cut));
        CHECK((backward(fd.get(), 0, text.size()) == naive(text, 0, cut)));
    }
}

TEST_CASE("a descriptor that cannot be read is an exception") {
    const temp_dir dir;
    const livelogd::base::unique_fd directory(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    stored_line line;
    forward_reader ahead(directory.get(), 0, 10);
    CHECK_THROWS_AS(ahead.next(line), std::system_error);
    backward_reader back(directory.get(), 0, 10);
    CHECK_THROWS_AS(back.previous(line), std::system_error);
}

TEST_CASE("open_segment gives nothing for a removed segment and throws for an unreadable one") {
    const temp_dir dir;
    write_file(dir / segment_name(5), "{}\n");
    fs::create_symlink(segment_name(5), dir / segment_name(7));
    log_snapshot view;
    view.directory = dir.path();
    view.sealed =
        std::make_shared<const std::vector<segment_info>>(std::vector<segment_info>{{5, 3}, {6, 3}, {7, 3}});
    CHECK(open_segment(view, 0));
    CHECK_FALSE(open_segment(view, 1));
    CHECK_THROWS_AS(open_segment(view, 2), std::system_error);
}
