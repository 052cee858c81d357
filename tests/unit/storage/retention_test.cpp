// SPDX-License-Identifier: MIT
#include "daemon/storage/retention.hpp"

#include "tests/support/catch.hpp"

#include <limits>
#include <vector>

using namespace livelogd::storage;

namespace {

std::size_t removed(const std::vector<std::uint64_t>& sizes, std::uint64_t max_bytes, std::uint64_t count) {
    std::vector<segment_info> sealed;
    for (std::size_t i = 0; i < sizes.size(); ++i)
        sealed.push_back({100 * (i + 1), sizes[i]});
    return segments_to_remove(sealed, {.segment_max_bytes = max_bytes, .backup_count = count});
}

}  // namespace

TEST_CASE("the oldest segments go while there are too many and they hold too much") {
    struct row {
        const char* why;
        std::vector<std::uint64_t> sizes;
        std::uint64_t max_bytes, count;
        std::size_t expected;
    };
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    const row rows[] = {
        {"none", {}, 100, 5, 0},
        {"as many as are kept", {100, 100}, 100, 2, 0},
        {"one too many", {100, 100, 100}, 100, 2, 1},
        {"too many, but small: both must hold", {10, 10, 10, 10, 10}, 100, 2, 0},
        {"too much, but few", {1000, 1000}, 100, 2, 0},
        {"exactly as much as is kept", {100, 50, 50}, 100, 2, 0},
        {"one byte over", {100, 50, 51}, 100, 2, 1},
        {"one large old one", {500, 10, 10, 10}, 100, 2, 1},
        {"one large new one: stops at the count", {10, 10, 10, 500}, 100, 2, 2},
        {"stops as soon as the bytes fit", {60, 60, 60, 60, 60}, 100, 2, 2},
        {"a backup count of 0 keeps none", {1, 2, 3}, 100, 0, 3},
        {"empty ones with a count of 0 hold nothing", {0, 0}, 100, 0, 0},
        {"a product that does not fit 64 bits keeps all", {100, 100, 100}, most, 2, 0},
        {"a count beyond all", {100, 100, 100}, 100, most, 0},
        {"segments of no size", {5, 5, 5}, 0, 2, 1},
    };
    for (const row& r : rows) {
        INFO(r.why);
        CHECK(removed(r.sizes, r.max_bytes, r.count) == r.expected);
    }
}

namespace {

struct limits_row {
    const char* why;
    std::vector<segment_info> sealed;
    log_limits limits;
    std::uint64_t active_bytes;
    std::int64_t now_s;
    std::size_t expected;
};

segment_info one(std::uint64_t bytes, std::int64_t written_s, std::uint64_t compressed = 0) {
    return {.first_id = 1,
            .bytes = bytes,
            .written_ns = written_s * 1'000'000'000,
            .compressed_bytes = compressed};
}

}  // namespace

TEST_CASE("the strictest of count, size on the disk and age decides") {
    using std::chrono::seconds;
    constexpr std::uint64_t many = 1000;
    const limits_row rows[] = {
        {"nothing sealed", {}, {100, 1, 200, seconds(10)}, 0, 100, 0},
        {"the active one counts as full", {one(100, 1), one(100, 2)}, {100, many, 300}, 0, 0, 0},
        {"one byte over", {one(100, 1), one(101, 2)}, {100, many, 300}, 0, 0, 1},
        {"an active one that is over its limit", {one(100, 1), one(100, 2)}, {100, many, 300}, 150, 0, 1},
        {"no room but for the active one", {one(100, 1), one(1, 2)}, {100, many, 100}, 0, 0, 2},
        {"an active one larger than all", {one(100, 1)}, {100, many, 300}, 5000, 0, 1},
        {"compressed ones take less", {one(100, 1, 10), one(100, 2, 10)}, {100, many, 120}, 0, 0, 0},
        {"what is kept is the newest, without a hole",
         {one(1, 1), one(500, 2), one(1, 3)},
         {100, many, 300},
         0,
         0,
         2},
        {"count holds the bytes before compression", {one(100, 1, 1), one(100, 2, 1)}, {100, 1}, 0, 0, 1},
        {"younger than the age", {one(1, 91), one(1, 95)}, {100, many, 0, seconds(10)}, 0, 100, 0},
        {"as old as the age", {one(1, 90), one(1, 95)}, {100, many, 0, seconds(10)}, 0, 100, 1},
        {"all too old", {one(1, 1), one(1, 2)}, {100, many, 0, seconds(10)}, 0, 100, 2},
        {"an old file with a wrong time in front of old ones",
         {one(1, 5000), one(1, 80), one(1, 95)},
         {100, many, 0, seconds(10)},
         0,
         100,
         2},
        {"a time that is not known is that of the next",
         {one(1, 0), one(1, 80), one(1, 0)},
         {100, many, 0, seconds(10)},
         0,
         100,
         2},
        {"times in the future are now", {one(1, 500), one(1, 600)}, {100, many, 0, seconds(10)}, 0, 100, 0},
        {"a copy that looks younger than those after it",
         {one(1, 99), one(1, 70)},
         {100, many, 0, seconds(10)},
         0,
         100,
         2},
        {"age asks for most",
         {one(100, 1), one(100, 2), one(100, 99)},
         {100, 2, 400, seconds(10)},
         0,
         100,
         2},
        {"size asks for most",
         {one(100, 98), one(100, 98), one(100, 99)},
         {100, 2, 200, seconds(10)},
         0,
         100,
         2},
    };
    for (const limits_row& r : rows) {
        INFO(r.why);
        CHECK(segments_to_remove(r.sealed, r.limits, r.active_bytes, r.now_s * 1'000'000'000) == r.expected);
    }
}
