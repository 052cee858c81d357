// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_name.hpp"
#include "tests/support/catch.hpp"

using namespace livelogd;
using namespace livelogd::storage;

TEST_CASE("a segment is named by its first id, twenty digits wide") {
    CHECK(segment_name(1764012345678901) == "live-00001764012345678901.jsonl");
    CHECK(segment_name(0) == "live-00000000000000000000.jsonl");
    CHECK(segment_name(protocol::max_record_id) == "live-00009007199254740991.jsonl");
}

TEST_CASE("names in the order of characters are in the order of ids") {
    const protocol::record_id ids[] = {0, 1, 9, 10, 99, 100, 1764012345678901, protocol::max_record_id};
    for (std::size_t i = 1; i < std::size(ids); ++i)
        CHECK(segment_name(ids[i - 1]) < segment_name(ids[i]));
}

TEST_CASE("the name gives the id back") {
    for (const protocol::record_id id : {protocol::record_id{0}, protocol::record_id{7},
                                         protocol::record_id{1764012345678901}, protocol::max_record_id}) {
        CHECK(parse_segment_name(segment_name(id)) == id);
    }
}

TEST_CASE("other names are no segments") {
    for (const char* name : {"", "current", "live-.jsonl", "live-1764012345678901.jsonl",
                             "live-000001764012345678901.jsonl", "live-0000176401234567890x.jsonl",
                             "live-00001764012345678901.jsonl.torn", "live-00001764012345678901.json",
                             "Live-00001764012345678901.jsonl", "live-00001764012345678901.jsonL",
                             "live--0001764012345678901.jsonl", "live-+0001764012345678901.jsonl",
                             "live- 0001764012345678901.jsonl", "xlive-00001764012345678901.jsonl",
                             "live-00009007199254740992.jsonl", "live-99999999999999999999.jsonl"}) {
        INFO(name);
        CHECK_FALSE(parse_segment_name(name));
    }
}
