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
