// SPDX-License-Identifier: MIT
#include "daemon/live/catch_up.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/live_log.hpp"

#include <fstream>
#include <thread>

using namespace livelogd;
using test::numbered;

namespace {

void fill(test::live_log& log, std::uint64_t from, std::uint64_t to, std::size_t padding = 100) {
    std::vector<std::string> lines;
    for (auto n = from; n < to; ++n)
        lines.push_back(numbered(n, R"(,"pad":")" + std::string(padding, 'x') + "\""));
    log.append(lines);
}

/// Reads on from `position` to the end; the ids that were read.
std::vector<protocol::record_id> ids_after(live::catch_up& files, protocol::record_id position,
                                           protocol::record_id newest) {
    std::vector<protocol::record_id> ids;
    while (position < newest) {
        const auto next = files.read(position);
        if (!next.batch) {
            if (next.position == position) break;
            position = next.position;
            continue;
        }
        for (auto id = std::max(position + 1, next.batch->first_id()); id < next.batch->end_id(); ++id)
            ids.push_back(id);
        position = next.batch->end_id() - 1;
    }
    return ids;
}

}  // namespace

TEST_CASE("every record is read once, over all segments", "[live]") {
    test::live_log log({.segment_max_bytes = 20000, .backup_count = 100});
    fill(log, 0, 2000);
    const auto newest = log.log->snapshot().next_id - 1;
    REQUIRE(log.log->snapshot().segment_count() > 10);
    const auto ids = ids_after(log.files, log.first_id - 1, newest);
    REQUIRE(ids.size() == 2000);
    CHECK(ids.front() == log.first_id);
    CHECK(ids.back() == newest);
    const auto tail = ids_after(log.files, log.first_id + 1233, newest);
    CHECK(tail.size() == 766);
    CHECK(tail.front() == log.first_id + 1234);
}

TEST_CASE("cursors at the same place share the block", "[live]") {
    test::live_log log;
    fill(log, 0, 10000);
    const auto first = log.files.read(log.first_id + 100).batch;
    REQUIRE(first);
    CHECK(log.files.find(log.first_id + 100) == first);
    CHECK(log.files.read(log.first_id + 200).batch == first);
    CHECK(log.files.find(log.first_id + 9999) == nullptr);
}

TEST_CASE("the block at the end grows with the log", "[live]") {
    test::live_log log;
    fill(log, 0, 3);
    CHECK(log.files.read(log.first_id - 1).batch->end_id() == log.first_id + 3);
    fill(log, 3, 5);
    CHECK(log.files.find(log.first_id + 2) == nullptr);
    const auto grown = log.files.read(log.first_id + 2).batch;
    REQUIRE(grown);
    CHECK(grown->end_id() == log.first_id + 5);
    CHECK(log.files.find(log.first_id - 1) == grown);
}

TEST_CASE("removed records are a gap, the end is the end", "[live]") {
    test::live_log log({.segment_max_bytes = 2000, .backup_count = 1});
    for (std::uint64_t n = 0; n < 100; ++n)
        fill(log, n, n + 1);
    const auto snapshot = log.log->snapshot();
    REQUIRE(snapshot.oldest_id() > log.first_id);
    const auto next = log.files.read(log.first_id - 1);
    CHECK_FALSE(next.batch);
    REQUIRE(next.gap);
    CHECK(next.gap->from == log.first_id);
    CHECK(next.gap->to == snapshot.oldest_id() - 1);
    CHECK(next.position == snapshot.oldest_id() - 1);

    const auto end = log.files.read(snapshot.next_id - 1);
    CHECK_FALSE(end.batch);
    CHECK_FALSE(end.gap);
    CHECK(end.position == snapshot.next_id - 1);
}

TEST_CASE("a broken line keeps its id and is counted", "[live]") {
    test::live_log log;
    fill(log, 0, 3, 0);
    const auto file = log.folder.path() / "current";
    {
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekp(static_cast<std::streamoff>(numbered(0, R"(,"pad":"")").size() + 5));
        bytes.put('\0');
    }
    const auto batch = log.files.read(log.first_id - 1).batch;
    REQUIRE(batch);
    CHECK(batch->end_id() == log.first_id + 3);
    CHECK(batch->frame(log.first_id + 1).empty());
    CHECK_FALSE(batch->frame(log.first_id + 2).empty());
    CHECK(log.files.unreadable_lines() == 1);
}

TEST_CASE("several cursors read at the same time", "[live]") {
    test::live_log log({.segment_max_bytes = 100000, .backup_count = 100});
    fill(log, 0, 5000);
    const auto newest = log.log->snapshot().next_id - 1;
    std::vector<std::size_t> counts(4);
    std::vector<std::thread> readers;
    for (auto& count : counts) {
        readers.emplace_back([&] { count = ids_after(log.files, log.first_id - 1, newest).size(); });
    }
    for (auto& r : readers)
        r.join();
    for (const auto count : counts)
        CHECK(count == 5000);
}
