// SPDX-License-Identifier: MIT
// How a log ends, and what it leaves.
#include "daemon/storage/log.hpp"
#include "daemon/storage/log_state.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

namespace livelogd::storage::test {

TEST_CASE("stop stores everything that was handed over, syncs it and marks the end as clean") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    collector listener;
    log opened(options_for(dir.path()), reports.sink(), fault.ops());
    opened.start(listener);
    for (std::uint64_t n = 0; n < 200; ++n)
        opened.submit(numbered_batch(n * 5, 5));
    CHECK(opened.stop({}).unstored_records == 0);
    CHECK(listener.lines().size() == 1000);
    CHECK(read_all(opened.snapshot()) == listener.lines());
    CHECK(fault.datasyncs == 1);
    CHECK(fault.syncs == static_cast<long>(opened.snapshot().sealed->size()));
    const auto state = state_file(dir.path()).load();
    REQUIRE(state);
    CHECK(state->clean);
    CHECK_FALSE(state->storing_failed);
    CHECK(state->next_id == opened.snapshot().next_id);
    CHECK(state->boot_id == current_boot_id());
}

TEST_CASE("while a log is open its state says that it was not stopped") {
    const temp_dir dir;
    report_log reports;
    collector listener;
    log opened(options_for(dir.path()), reports.sink());
    const auto fresh = state_file(dir.path()).load();
    REQUIRE(fresh);
    CHECK_FALSE(fresh->clean);
    CHECK(fresh->segment == opened.snapshot().active.first_id);
    opened.start(listener);
    opened.submit(numbered_batch(0, 35));  // into the fourth segment
    REQUIRE(listener.wait_for(35));
    const auto later = state_file(dir.path()).load();
    REQUIRE(later);
    CHECK_FALSE(later->clean);
    CHECK(later->segment == opened.snapshot().active.first_id);
}

TEST_CASE("the destructor stops, and a second stop answers as the first") {
    const temp_dir dir;
    report_log reports;
    collector listener;
    {
        log opened(options_for(dir.path()), reports.sink());
        opened.start(listener);
        opened.submit(numbered_batch(0, 50));
    }
    CHECK(listener.lines().size() == 50);
    CHECK(state_file(dir.path()).load()->clean);
    log opened(options_for(dir.path()), reports.sink());
    CHECK(opened.stop(1s).unstored_records == 0);
    CHECK(opened.stop({}).unstored_records == 0);
}

TEST_CASE("a log that was never started is stopped cleanly, also after a jump") {
    const temp_dir dir;
    report_log reports;
    write_file(dir / segment_name(5), "{}\n");
    {
        const log opened(options_for(dir.path()), reports.sink());
        CHECK(opened.recovered().jumped_from == 6u);
    }
    CHECK(state_file(dir.path()).load()->clean);
    const log opened(options_for(dir.path()), reports.sink());
    CHECK_FALSE(opened.recovered().jumped_from);
}

TEST_CASE("records handed over before the start are stored after it, or counted") {
    const temp_dir dir;
    report_log reports;
    collector listener;
    {
        log opened(options_for(dir.path()), reports.sink());
        opened.submit(numbered_batch(0, 3));
        CHECK(opened.pending_bytes() == 120);
        opened.start(listener);
        CHECK(listener.wait_for(3));
        CHECK(opened.pending_bytes() == 0);
    }
    log opened(options_for(dir.path()), reports.sink());
    opened.submit(numbered_batch(3, 4));
    CHECK(opened.stop({}).unstored_records == 4);
}

TEST_CASE("stop is patient while storing fails, but not longer than told") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.disk_full = true;
    collector listener;
    log opened(options_for(dir.path()), reports.sink(), fault.ops());
    const record_id first = opened.snapshot().next_id;
    opened.start(listener);
    opened.submit(numbered_batch(0, 3));
    opened.submit(numbered_batch(3, 4));
    REQUIRE(eventually([&] { return opened.trouble().has_value(); }));

    SECTION("no room in time: the rest is counted and the next start jumps") {
        const auto begin = std::chrono::steady_clock::now();
        CHECK(opened.stop(60ms).unstored_records == 7);
        const auto took = std::chrono::steady_clock::now() - begin;
        CHECK(took >= 60ms);
        CHECK(took < 10s);
        CHECK(listener.lines().size() == 7);  // readers have seen them
        CHECK(listener.written() == 0);
        const auto state = state_file(dir.path()).load();
        REQUIRE(state);
        CHECK_FALSE(state->clean);
        CHECK(state->storing_failed);
    }
    SECTION("no patience at all") {
        const auto begin = std::chrono::steady_clock::now();
        CHECK(opened.stop({}).unstored_records == 7);
        CHECK(std::chrono::steady_clock::now() - begin < 10s);
    }
    SECTION("room comes in time") {
        std::thread heal([&] {
            std::this_thread::sleep_for(30ms);
            fault.healed = true;
        });
        CHECK(opened.stop(30s).unstored_records == 0);
        heal.join();
        CHECK(listener.calls() == std::vector<record_id>{first, first + 3});
        CHECK_FALSE(opened.trouble());
        CHECK(state_file(dir.path()).load()->clean);
    }
}

TEST_CASE("what a batch has stored before patience ended stays stored, and its ids are not given again") {
    const temp_dir dir;
    report_log reports;
    record_id stored = 0;
    {
        faults fault;
        fault.write = {2, 1'000'000, ENOSPC, 100};  // room for two and a half records in the second write
        collector listener;
        log opened(options_for(dir.path()), reports.sink(), fault.ops());
        const record_id first = opened.snapshot().next_id;
        opened.start(listener);
        opened.submit(numbered_batch(0, 3));
        REQUIRE(listener.wait_for(3));
        opened.submit(numbered_batch(3, 5));
        CHECK(opened.stop(10ms).unstored_records == 3);
        stored = first + 5;
    }
    const log opened(options_for(dir.path()), reports.sink());
    REQUIRE(opened.recovered().jumped_from);
    CHECK(*opened.recovered().jumped_from == stored);
    CHECK(opened.recovered().torn_bytes == 0);
    CHECK(read_all(opened.snapshot()).size() == 5);
}

TEST_CASE("a stop whose last sync fails is not clean") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.datasync = {1, 1000, EIO};
    collector listener;
    log opened(options_for(dir.path()), reports.sink(), fault.ops());
    opened.start(listener);
    opened.submit(numbered_batch(0, 3));
    const auto stopped = opened.stop(1s);
    CHECK(stopped.unstored_records == 0);
    CHECK(stopped.unsynced);
    CHECK_FALSE(stopped.hangs);
    const auto state = state_file(dir.path()).load();
    REQUIRE(state);
    CHECK_FALSE(state->clean);
    CHECK(state->storing_failed);
}

}  // namespace livelogd::storage::test
