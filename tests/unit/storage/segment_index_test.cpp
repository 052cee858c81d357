// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_index.hpp"

#include "daemon/storage/line_ends.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <random>
#include <system_error>

using namespace livelogd::storage;
using namespace livelogd::storage::test;

namespace {

constexpr record_id first = 1000;

struct lines_of_file {
    std::string text;
    std::vector<std::uint64_t> starts;

    void add(std::size_t size) {
        starts.push_back(text.size());
        text.append(size - 1, 'x');
        text += '\n';
    }
};

lines_of_file random_file(unsigned seed, std::size_t bytes) {
    std::mt19937 random(seed);
    lines_of_file file;
    while (file.text.size() < bytes) {
        const auto kind = random() % 100;
        file.add(kind == 0 ? 1 + random() % 700'000 : kind < 10 ? 1 + random() % 20'000 : 1 + random() % 600);
    }
    return file;
}

/// Compares every id with counting by hand, `bytes` being the published length.
void check_against(const segment_index& index, int fd, const lines_of_file& file, std::uint64_t bytes) {
    std::size_t known = 0;
    while (known < file.starts.size() && file.starts[known] < bytes)
        ++known;
    REQUIRE(index.end_id() == first + known);
    REQUIRE_FALSE(index.block_with(first + known));
    REQUIRE_FALSE(index.block_with(first - 1));
    const auto start_after = [&](std::size_t i) { return i < known ? file.starts[i] : bytes; };
    for (std::size_t i = 0; i < known; ++i) {
        const std::uint64_t stretch = file.starts[i] / segment_index::stride;
        std::size_t from = i;
        while (from > 0 && file.starts[from - 1] / segment_index::stride == stretch)
            --from;
        std::size_t to = i + 1;
        while (to < known && file.starts[to] / segment_index::stride == stretch)
            ++to;

        const auto block = index.block_with(first + i);
        REQUIRE(block);
        REQUIRE(block->begin == file.starts[from]);
        REQUIRE(block->end == start_after(to));
        REQUIRE(block->first_id == first + from);
        REQUIRE(block->end_id == first + to);
        REQUIRE(block->complete == (start_after(to) >= (stretch + 1) * segment_index::stride));
        if (i % 7 == 0 || i + 1 == known)
            REQUIRE(livelogd::storage::offset_of_line(fd, 0, bytes, i) == file.starts[i]);
    }
    REQUIRE(livelogd::storage::offset_of_line(fd, 0, bytes, known) == bytes);
}

}  // namespace

TEST_CASE("an index of nothing holds nothing") {
    const temp_dir dir;
    write_file(dir / "f", "");
    const auto fd = open_for_reading(dir / "f");
    segment_index index(first);
    CHECK(index.end_id() == first);
    CHECK_FALSE(index.block_with(first));
    index.extend(fd.get(), 0);
    CHECK(index.end_id() == first);
    CHECK_FALSE(index.block_with(first));
    CHECK(livelogd::storage::offset_of_line(fd.get(), 0, 0, 0) == 0);
    CHECK(livelogd::storage::offset_of_line(fd.get(), 0, 0, 1) == 0);
}

TEST_CASE("an index made at once agrees with counting by hand") {
    const temp_dir dir;
    for (unsigned seed = 1; seed <= 6; ++seed) {
        INFO("seed " << seed);
        const auto file = random_file(seed, 3'000'000);
        write_file(dir / "f", file.text);
        const auto fd = open_for_reading(dir / "f");
        segment_index index(first);
        index.extend(fd.get(), file.text.size());
        check_against(index, fd.get(), file, file.text.size());
    }
}

TEST_CASE("an index that grows with its segment is the same at every step") {
    const temp_dir dir;
    for (unsigned seed = 11; seed <= 14; ++seed) {
        INFO("seed " << seed);
        const auto file = random_file(seed, 1'200'000);
        write_file(dir / "f", file.text);
        const auto fd = open_for_reading(dir / "f");
        std::mt19937 random(seed);
        segment_index index(first);
        std::size_t line = 0;
        while (line < file.starts.size()) {
            line += random() % 400;
            const std::uint64_t bytes = line < file.starts.size() ? file.starts[line] : file.text.size();
            index.extend(fd.get(), bytes);
            if (random() % 4 == 0 || line >= file.starts.size()) check_against(index, fd.get(), file, bytes);
        }
    }
}

TEST_CASE("records that end or start exactly where a stretch ends") {
    const temp_dir dir;
    constexpr std::size_t stride = segment_index::stride;
    lines_of_file file;
    file.add(stride - 1);  // the next record starts on the last byte of the first stretch
    file.add(1);           // and the one after it on the first byte of the second
    file.add(stride);
    file.add(2 * stride + 1);  // no record starts in the stretch after the next
    file.add(10);
    write_file(dir / "f", file.text);
    const auto fd = open_for_reading(dir / "f");
    segment_index index(first);
    for (const std::uint64_t bytes :
         {std::uint64_t{stride - 1}, std::uint64_t{stride}, std::uint64_t{2 * stride},
          std::uint64_t{4 * stride + 1}, std::uint64_t{file.text.size()}}) {
        INFO("up to " << bytes);
        index.extend(fd.get(), bytes);
        check_against(index, fd.get(), file, bytes);
    }
    CHECK_FALSE(index.block_with(first + 4)->complete);
}

TEST_CASE("half a line is not noted until it has its end") {
    const temp_dir dir;
    write_file(dir / "f", "{}\n{\"half");
    segment_index index(first);
    {
        const auto fd = open_for_reading(dir / "f");
        index.extend(fd.get(), 9);
        CHECK(index.end_id() == first + 1);
        CHECK(index.block_with(first)->end == 3);
    }
    write_file(dir / "f", "{}\n{\"half\":1}\n");
    const auto fd = open_for_reading(dir / "f");
    index.extend(fd.get(), 14);
    CHECK(index.end_id() == first + 2);
}

TEST_CASE("a file that has been cut: extend ends early") {
    const temp_dir dir;
    write_file(dir / "f", "{}\n{}\n{}\n");
    segment_index index(first);
    const auto fd = open_for_reading(dir / "f");
    index.extend(fd.get(), 100);
    CHECK(index.end_id() == first + 3);
}
