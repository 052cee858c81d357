// SPDX-License-Identifier: MIT
#include "daemon/live/event_batch.hpp"

#include "tests/support/batches.hpp"
#include "tests/support/catch.hpp"

using namespace livelogd;
using test::numbered;

TEST_CASE("frames, records and digests are found by id", "[live]") {
    const auto records = test::batch_of({numbered(1), numbered(2, R"(,"level":"ERROR")"), numbered(3)});
    const live::event_batch batch(9, records);
    CHECK(batch.first_id() == 9);
    CHECK(batch.end_id() == 12);
    CHECK(batch.frame(9) == "id: 9\ndata: " + numbered(1) + "\n\n");
    CHECK(batch.json(10) == numbered(2, R"(,"level":"ERROR")"));
    CHECK(batch.json(11) == numbered(3));  // two digits now
    CHECK(batch.digest(10).error);
    CHECK_FALSE(batch.digest(11).error);
    CHECK(batch.frames(9, 12)
          == std::string(batch.frame(9)) + std::string(batch.frame(10)) + std::string(batch.frame(11)));
    CHECK(batch.frames(10, 10).empty());
}

TEST_CASE("a line that is no record keeps its id and shows nothing", "[live]") {
    live::event_batch batch(100);
    batch.add(numbered(0), {});
    batch.add_unreadable();
    batch.add(numbered(2), {});
    CHECK(batch.end_id() == 103);
    CHECK(batch.frame(101).empty());
    CHECK(batch.frames(100, 103)
          == "id: 100\ndata: " + numbered(0) + "\n\nid: 102\ndata: " + numbered(2) + "\n\n");
    CHECK(batch.json(102) == numbered(2));
}
