// SPDX-License-Identifier: MIT
#include "daemon/storage/line_ends.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <memory>
#include <vector>

using namespace livelogd::storage;
using namespace livelogd::storage::test;

namespace {

/// A log of one sealed segment and an empty active one.
log_snapshot sealed(std::uint64_t bytes) {
    log_snapshot log;
    log.sealed = std::make_shared<const std::vector<segment_info>>(
        std::vector<segment_info>{{.first_id = 1000, .bytes = bytes}});
    log.active = {.first_id = 5000, .bytes = 0};
    log.next_id = 5000;
    return log;
}

}  // namespace

TEST_CASE("the offset of a line is where it begins", "[storage]") {
    const temp_dir dir;
    write_file(dir / "f", "a\nbb\n\nccc\n");
    const auto fd = open_for_reading(dir / "f");
    CHECK(offset_of_line(fd.get(), 0, 10, 0) == 0);
    CHECK(offset_of_line(fd.get(), 0, 10, 1) == 2);
    CHECK(offset_of_line(fd.get(), 0, 10, 2) == 5);
    CHECK(offset_of_line(fd.get(), 0, 10, 3) == 6);
    CHECK(offset_of_line(fd.get(), 0, 10, 4) == 10);
    CHECK(offset_of_line(fd.get(), 0, 10, 9) == 10);
    CHECK(offset_of_line(fd.get(), 0, 5, 3) == 5);
    CHECK(offset_of_line(fd.get(), 2, 10, 0) == 2);
    CHECK(offset_of_line(fd.get(), 2, 10, 2) == 6);
    CHECK(offset_of_line(fd.get(), 5, 5, 1) == 5);
}

TEST_CASE("lines are counted up to the published length, and only what is new is read again", "[storage]") {
    const temp_dir dir;
    write_file(dir / "f", "a\nbb\n\nccc\n");
    line_counts counts;
    {
        const auto fd = open_for_reading(dir / "f");
        CHECK(counts.of(sealed(5), 0, fd.get()) == 2);
    }
    // Were the beginning read again, it would hold one line more.
    write_file(dir / "f", "\n\n\n\n\n\nccc\n");
    const auto fd = open_for_reading(dir / "f");
    CHECK(counts.of(sealed(10), 0, fd.get()) == 4);
    CHECK(line_counts().of(sealed(10), 0, fd.get()) == 7);
}

TEST_CASE("a segment that was cut is counted anew", "[storage]") {
    const temp_dir dir;
    write_file(dir / "f", "a\nb\nc\nd\n");
    const auto fd = open_for_reading(dir / "f");
    line_counts counts;
    CHECK(counts.of(sealed(8), 0, fd.get()) == 4);
    CHECK(counts.of(sealed(4), 0, fd.get()) == 2);
    CHECK(counts.of(sealed(8), 0, fd.get()) == 4);
}

TEST_CASE("a file shorter than its published length is not remembered so", "[storage]") {
    const temp_dir dir;
    write_file(dir / "f", "a\nb\n");
    line_counts counts;
    {
        const auto fd = open_for_reading(dir / "f");
        CHECK(counts.of(sealed(8), 0, fd.get()) == 2);
    }
    write_file(dir / "f", "a\nb\nc\nd\n");
    const auto fd = open_for_reading(dir / "f");
    CHECK(counts.of(sealed(8), 0, fd.get()) == 4);
}
