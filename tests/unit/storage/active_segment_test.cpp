// SPDX-License-Identifier: MIT
#include "daemon/storage/active_segment.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <system_error>

using namespace livelogd::storage;
using namespace livelogd::storage::test;

TEST_CASE("a segment is made once, readable for the group, and grows by whole batches") {
    const temp_dir dir;
    const file_ops ops;
    const ::mode_t before = ::umask(022);
    auto segment = active_segment::create(dir.path(), 500, ops);
    ::umask(before);
    CHECK(mode_of(dir / segment_name(500)) == 0640);
    CHECK(segment.next_id() == 500);
    CHECK(segment.info().bytes == 0);

    const auto batch = numbered_batch(1, 3);
    const auto done = segment.append(batch.lines, batch.records);
    CHECK(done.records == 3);
    CHECK(done.bytes == batch.lines.size());
    CHECK(done.error == 0);
    CHECK(segment.next_id() == 503);
    CHECK(segment.info().first_id == 500);
    CHECK(segment.info().bytes == batch.lines.size());
    CHECK(read_file(dir / segment_name(500)) == batch.lines);
    CHECK_THROWS_AS(active_segment::create(dir.path(), 500, ops), std::system_error);
}

TEST_CASE("a write that fails after any number of bytes leaves only whole records") {
    const auto batch = batch_of({record_of(1, 20), record_of(2, 33), record_of(3, 20)});
    const auto more = numbered_batch(9, 1);
    for (std::size_t taken = 0; taken <= batch.lines.size(); ++taken) {
        INFO("the disk is full after " << taken << " bytes");
        const temp_dir dir;
        faults fault;
        // The first call takes what there is room for, the second finds no room.
        fault.write = {taken > 0 ? 2 : 1, 2, ENOSPC, taken};
        const file_ops ops = fault.ops();
        auto segment = active_segment::create(dir.path(), 1, ops);
        if (taken > 0) {
            const auto earlier = numbered_batch(7, 1);
            REQUIRE(segment.append(earlier.lines, earlier.records).error == 0);
        }
        const std::string before = read_file(dir / segment_name(1));

        const auto done = segment.append(batch.lines, batch.records);
        const std::size_t whole = taken < 20 ? 0 : taken < 53 ? 20 : taken < 73 ? 53 : 73;
        CHECK(done.error == (taken < batch.lines.size() ? ENOSPC : 0));
        CHECK(done.bytes == whole);
        CHECK(done.records == (whole == 0 ? 0u : whole == 20 ? 1u : whole == 53 ? 2u : 3u));
        CHECK_FALSE(segment.damaged());
        CHECK(read_file(dir / segment_name(1)) == before + batch.lines.substr(0, whole));

        fault.healed = true;
        REQUIRE(segment.append(more.lines, more.records).error == 0);
        CHECK(read_file(dir / segment_name(1)) == before + batch.lines.substr(0, whole) + more.lines);
        CHECK(segment.info().bytes == before.size() + whole + more.lines.size());
    }
}

TEST_CASE("short writes that go on are no failure") {
    const temp_dir dir;
    file_ops ops;
    int interrupts = 0;
    ops.write = [&](int fd, const void* bytes, std::size_t) -> ssize_t {
        if (++interrupts % 3 == 0) return errno = EINTR, -1;
        return ::write(fd, bytes, 1);
    };
    auto segment = active_segment::create(dir.path(), 1, ops);
    const auto batch = numbered_batch(1, 2);
    CHECK(segment.append(batch.lines, batch.records).error == 0);
    CHECK(read_file(dir / segment_name(1)) == batch.lines);
}

TEST_CASE("a write that takes nothing and reports nothing is an error, not a loop") {
    const temp_dir dir;
    file_ops ops;
    ops.write = [](int, const void*, std::size_t) -> ssize_t { return 0; };
    auto segment = active_segment::create(dir.path(), 1, ops);
    const auto batch = numbered_batch(1, 2);
    const auto done = segment.append(batch.lines, batch.records);
    CHECK(done.error == EIO);
    CHECK(done.records == 0);
}

TEST_CASE("a fragment that cannot be cut off marks the segment as damaged until it can") {
    const temp_dir dir;
    faults fault;
    fault.write = {1, 2, ENOSPC, 30};
    fault.truncate = {1, 2, EIO};
    const file_ops ops = fault.ops();
    auto segment = active_segment::create(dir.path(), 1, ops);
    const auto batch = batch_of({record_of(1, 20), record_of(2, 20)});
    const auto done = segment.append(batch.lines, batch.records);
    CHECK(done.error == ENOSPC);
    CHECK(done.records == 1);
    CHECK(segment.damaged());
    CHECK(segment.info().bytes == 20);  // what is published is whole, whatever stands behind it
    CHECK(fs::file_size(dir / segment_name(1)) == 30);
    CHECK_FALSE(segment.repair());
    CHECK(segment.repair());
    CHECK_FALSE(segment.damaged());
    CHECK(fs::file_size(dir / segment_name(1)) == 20);
}
