// SPDX-License-Identifier: MIT
#include "protocol/sse.hpp"

#include "tests/support/catch.hpp"

namespace sse = livelogd::protocol::sse;
using livelogd::protocol::max_record_id;

TEST_CASE("a record's frame is exactly this") {
    std::string out = "before";
    sse::append_record(out, 1764012345678901, R"({"a":1})");
    sse::append_record(out, 0, "{}");
    CHECK(out == "beforeid: 1764012345678901\ndata: {\"a\":1}\n\nid: 0\ndata: {}\n\n");
}

TEST_CASE("the JSON can be found in a frame") {
    const std::string json = R"({"timestamp":"T"})";
    for (const livelogd::protocol::record_id id :
         {livelogd::protocol::record_id{0}, livelogd::protocol::record_id{9},
          livelogd::protocol::record_id{10}, max_record_id}) {
        std::string frame;
        sse::append_record(frame, id, json);
        const std::size_t at = sse::json_offset(id);
        CHECK(frame.substr(at, frame.size() - at - sse::json_trailer) == json);
    }
}

TEST_CASE("named events are exactly these") {
    CHECK(sse::retry(1500) == "retry: 1500\n\n");
    CHECK(sse::position(7) == "id: 7\n\n");
    CHECK(sse::ping(7, 12) == "event: ping\nid: 7\ndata: {\"id\":12}\n\n");
    CHECK(sse::gap(3, 9, "no longer kept")
          == "event: gap\nid: 9\ndata: {\"from\":3,\"to\":9,\"reason\":\"no longer kept\"}\n\n");
    CHECK(sse::gap(3, 9, "a\nb\r\"c\"")
          == "event: gap\nid: 9\ndata: {\"from\":3,\"to\":9,\"reason\":\"a\\nb\\r\\\"c\\\"\"}\n\n");
    CHECK(sse::bye(9007199254740991) == "event: bye\nid: 9007199254740991\ndata: {}\n\n");
}

TEST_CASE("a status has no id and stays on its line whatever the reason holds") {
    CHECK(sse::status_ok() == "event: status\ndata: {\"storing\":\"ok\"}\n\n");
    CHECK(sse::status_failing("the disk is full", "2026-11-24T10:00:00Z")
          == "event: status\ndata: {\"storing\":\"failing\",\"reason\":\"the disk is full\","
             "\"since\":\"2026-11-24T10:00:00Z\"}\n\n");
    CHECK(sse::status_failing("a\r\nid: 3\n\n\"\xff", "T")
          == "event: status\ndata: {\"storing\":\"failing\",\"reason\":\"a\\r\\nid: 3\\n\\n\\\"\xEF\xBF\xBD\","
             "\"since\":\"T\"}\n\n");
}
