// SPDX-License-Identifier: MIT
#include "daemon/storage/start_rule.hpp"

#include "tests/support/catch.hpp"

using namespace livelogd::storage;

namespace {

constexpr livelogd::protocol::record_id now = 5000;

// A newest segment that begins with id 100 and holds 20 records: by the files, 120 comes next.
start_facts with_files(std::optional<log_state> state) {
    start_facts facts;
    facts.newest = start_facts::newest_segment{100, 20, false, false};
    facts.state = std::move(state);
    facts.boot_id = "this";
    facts.now = now;
    return facts;
}

}  // namespace

TEST_CASE("ids go on where nothing can have been lost") {
    struct row {
        const char* why;
        log_state state;
    };
    const row rows[] = {
        {"clean", {"this", true, 120, 100, false}},
        {"clean, then a reboot", {"other", true, 120, 100, false}},
        {"killed, same boot", {"this", false, 110, 100, false}},
        {"killed before the first record of the segment", {"this", false, 120, 100, false}},
        {"killed after a rotation that was not yet written down", {"this", false, 90, 50, false}},
    };
    for (const row& r : rows) {
        INFO(r.why);
        const auto decision = decide_start(with_files(r.state));
        CHECK(decision.next_id == 120);
        CHECK_FALSE(decision.new_segment);
        CHECK_FALSE(decision.jumped_from);
    }
}

TEST_CASE("ids jump where something may have been lost") {
    struct row {
        const char* why;
        std::optional<log_state> state;
    };
    const row rows[] = {
        {"no state", std::nullopt},
        {"killed, other boot", log_state{"other", false, 110, 100, false}},
        {"killed, and the kernel does not name boots", log_state{"", false, 110, 100, false}},
        {"died while storing failed", log_state{"this", false, 110, 100, true}},
        {"clean, but the files hold more", log_state{"this", true, 119, 100, false}},
        {"clean, but the files hold less", log_state{"this", true, 121, 100, false}},
        {"killed, and the files hold less", log_state{"this", false, 121, 100, false}},
        {"killed, and the newest segment was removed", log_state{"this", false, 120, 120, false}},
    };
    for (const row& r : rows) {
        INFO(r.why);
        auto facts = with_files(r.state);
        if (r.state && r.state->boot_id.empty()) facts.boot_id.clear();
        const auto decision = decide_start(facts);
        CHECK(decision.next_id == now);
        CHECK(decision.new_segment);
        CHECK(decision.jumped_from == 120u);
    }
}

TEST_CASE("a tail that was no record, or could not be removed, makes ids jump even after a clean stop") {
    auto dropped = with_files(log_state{"this", true, 120, 100, false});
    dropped.newest->lines_dropped = true;
    CHECK(decide_start(dropped).next_id == now);
    auto in_place = with_files(log_state{"this", true, 120, 100, false});
    in_place.newest->tail_in_place = true;
    CHECK(decide_start(in_place).new_segment);
}

TEST_CASE("a jump never goes backwards, whatever the clock says") {
    auto facts = with_files(log_state{"other", false, 110, 100, false});
    facts.now = 7;
    CHECK(decide_start(facts).next_id == 120);
    facts.state->next_id = 9000;
    CHECK(decide_start(facts).next_id == 9000);
}

TEST_CASE("a log without segments starts at the clock, or where it left off if that is later") {
    start_facts facts;
    facts.now = now;
    CHECK(decide_start(facts).next_id == now);
    CHECK(decide_start(facts).new_segment);
    CHECK_FALSE(decide_start(facts).jumped_from);
    facts.state = log_state{"this", true, 4000, 100, false};
    CHECK(decide_start(facts).next_id == now);
    facts.state->next_id = 6000;
    CHECK(decide_start(facts).next_id == 6000);
    CHECK_FALSE(decide_start(facts).jumped_from);
}
