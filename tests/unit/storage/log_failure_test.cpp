// SPDX-License-Identifier: MIT
// A log whose system calls fail: every call, in every way, at every place.
#include "daemon/storage/log.hpp"
#include "daemon/storage/log_state.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace livelogd::storage::test {

namespace {

constexpr std::size_t total = 60;

/// Batches of one to seven records, 60 in all; with 400 bytes a segment they cross segments in many ways.
void submit_all(log& opened) {
    for (std::size_t n = 0; n < total;) {
        const std::size_t size = std::min<std::size_t>(1 + n % 7, total - n);
        opened.submit(numbered_batch(n, size));
        n += size;
    }
}

/// Everything was stored once, in order, with consecutive ids, and the published parts of the files are
/// whole.
void check_complete(const log& opened, const collector& listener, record_id first) {
    const auto lines = listener.lines();
    REQUIRE(lines.size() == total);
    CHECK(listener.in_order());
    std::uint64_t n = 0;
    for (const auto& [id, line] : lines) {
        REQUIRE(id == first + n);
        REQUIRE(line == record_of(n));
        ++n;
    }
    const auto view = opened.snapshot();
    CHECK(read_all(view) == lines);
    for (const auto& segment : *view.sealed)
        CHECK(segment.bytes > 0);
    CHECK(opened.pending_bytes() == 0);
    CHECK_FALSE(opened.trouble());
}

}  // namespace

TEST_CASE("a write that fails at any call, in any way, loses nothing") {
    struct way {
        const char* name;
        int error;
        std::size_t short_write;
        long count;
    };
    const way ways[] = {
        {"full disk", ENOSPC, 0, 1},
        {"full disk for a while", ENOSPC, 0, 4},
        {"full after one byte", ENOSPC, 1, 3},
        {"full after a record and a half", ENOSPC, 60, 2},
        {"full after a whole record", ENOSPC, 40, 2},
        {"quota", EDQUOT, 10, 2},
        {"input/output error", EIO, 0, 1},
        {"input/output error half way", EIO, 50, 3},
        {"file too large", EFBIG, 50, 2},
    };
    for (const way& w : ways) {
        for (long call = 1;; ++call) {
            INFO(w.name << ", call " << call);
            const temp_dir dir;
            report_log reports;
            faults fault;
            fault.write = {call, w.count, w.error, w.short_write};
            collector listener;
            log opened(options_for(dir.path()), reports.sink(), fault.ops());
            const record_id first = opened.snapshot().next_id;
            opened.start(listener);
            submit_all(opened);
            REQUIRE(listener.wait_for(total));
            CHECK(opened.stop(5s).unstored_records == 0);
            check_complete(opened, listener, first);
            for (const auto& name : segment_files(dir.path())) {
                CHECK(read_file(dir / name).ends_with("\n"));
            }
            CHECK(state_file(dir.path()).load()->clean);
            if (fault.writes < call) {
                CHECK(reports.size() == 0);
                break;  // that many calls are never made
            }
            // The short write itself is a success; the call after it, if it is made, is the first that fails.
            const long first_failing = call + (w.short_write > 0 ? 1 : 0);
            if (fault.writes >= first_failing && first_failing < call + w.count) {
                CHECK(reports.count("cannot store in " + dir.path().string()) == 1);
                CHECK(reports.count("stored again") == 1);
                CHECK(reports.size() == 2);
            } else {
                CHECK(reports.size() == 0);
            }
        }
    }
}

TEST_CASE("a fragment that cannot be cut off loses nothing and touches no record") {
    for (const long truncates_failing : {1L, 2L, 5L}) {
        for (const std::size_t fragment : {1u, 39u, 41u, 79u}) {
            for (long call = 1;; ++call) {
                INFO(truncates_failing << " failing truncates, " << fragment << " bytes, call " << call);
                const temp_dir dir;
                report_log reports;
                faults fault;
                fault.write = {call, 2, EIO, fragment};
                fault.truncate = {1, truncates_failing, EIO};
                collector listener;
                auto opened = std::make_unique<log>(options_for(dir.path()), reports.sink(), fault.ops());
                const record_id first = opened->snapshot().next_id;
                opened->start(listener);
                submit_all(*opened);
                REQUIRE(listener.wait_for(total));
                CHECK(opened->stop(5s).unstored_records == 0);
                check_complete(*opened, listener, first);
                opened.reset();
                if (fault.writes < call) break;

                // A later start sees the same records: fragments behind sealed segments are no lines.
                report_log again;
                const log reopened(options_for(dir.path()), again.sink());
                CHECK(reopened.snapshot().next_id == first + total);
                CHECK(read_all(reopened.snapshot()) == listener.lines());
            }
        }
    }
}

TEST_CASE("a segment that holds nothing but a fragment is made anew") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.write = {1, 2, ENOSPC, 10};
    fault.truncate = {1, 1000, EIO};
    collector listener;
    log opened(options_for(dir.path()), reports.sink(), fault.ops());
    const record_id first = opened.snapshot().next_id;
    opened.start(listener);
    submit_all(opened);
    REQUIRE(listener.wait_for(total));
    opened.stop(5s);
    check_complete(opened, listener, first);
    CHECK(read_file(dir / segment_name(first)).starts_with("{\"n\":0,"));
}

TEST_CASE("while storing fails it is told once, with the reason and what waits, and once when it is over") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.disk_full = true;
    collector listener;
    log opened(options_for(dir.path()), reports.sink(), fault.ops());
    const auto before = opened.snapshot();
    opened.start(listener);
    opened.submit(numbered_batch(0, 3));
    REQUIRE(eventually([&] { return opened.trouble().has_value(); }));
    CHECK(opened.trouble()->find("No space left on device") != std::string::npos);
    CHECK(opened.trouble()->find((dir / segment_name(before.active.first_id)).string()) != std::string::npos);
    const auto state = state_file(dir.path()).load();
    REQUIRE(state);
    CHECK(state->storing_failed);  // if the daemon dies now, ids jump

    opened.submit(numbered_batch(3, 2));
    const long tried = fault.writes;
    REQUIRE(eventually([&] { return fault.writes > tried + 5; }));
    CHECK(reports.size() == 1);
    CHECK(reports.count("3 records wait") == 1);
    CHECK(opened.pending_bytes() == 200);
    // What is held has its ids, is told, and is found; but not in a file.
    CHECK(opened.snapshot().next_id == before.next_id + 5);
    REQUIRE(listener.wait_for(5));
    CHECK(read_all(opened.snapshot()) == listener.lines());
    CHECK(fs::file_size(dir / segment_name(before.active.first_id)) == 0);
    CHECK(listener.written() == 0);

    fault.healed = true;
    REQUIRE(eventually([&] { return listener.written() == before.next_id + 5; }));
    CHECK(eventually([&] { return !opened.trouble(); }));
    CHECK(reports.count("5 records had waited") == 1);
    CHECK(reports.size() == 2);
    CHECK_FALSE(state_file(dir.path()).load()->storing_failed);
    opened.submit(numbered_batch(5, 1));
    REQUIRE(listener.wait_for(6));
    CHECK(reports.size() == 2);
    CHECK(opened.stop(1s).unstored_records == 0);
}

TEST_CASE("retries wait their time, whatever is handed over meanwhile") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.disk_full = true;
    auto options = options_for(dir.path());
    options.retry_interval = 10s;
    collector listener;
    log opened(options, reports.sink(), fault.ops());
    opened.start(listener);
    opened.submit(numbered_batch(0, 1));
    REQUIRE(eventually([&] { return opened.trouble().has_value(); }));
    for (std::uint64_t n = 1; n < 50; ++n)
        opened.submit(numbered_batch(n, 1));
    std::this_thread::sleep_for(30ms);
    CHECK(fault.writes == 1);
    CHECK(opened.stop({}).unstored_records == 50);  // and stop does not sit the interval out
}

TEST_CASE("a batch of which only a part found room shows as a whole, and is written as a whole") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.write = {1, 1'000'000, ENOSPC, 100};
    collector listener;
    log opened(options_for(dir.path()), reports.sink(), fault.ops());
    const record_id first = opened.snapshot().next_id;
    opened.start(listener);
    opened.submit(numbered_batch(0, 5));
    REQUIRE(eventually([&] { return opened.trouble().has_value(); }));
    REQUIRE(listener.wait_for(5));
    CHECK(opened.snapshot().next_id == first + 5);
    CHECK(read_all(opened.snapshot()) == listener.lines());
    CHECK(opened.pending_bytes() == 120);
    CHECK(listener.written() == 0);
    fault.healed = true;
    REQUIRE(eventually([&] { return listener.written() == first + 5; }));
    CHECK(eventually([&] { return !opened.trouble(); }));
    CHECK(listener.calls() == std::vector<record_id>{first});
    CHECK(read_all(opened.snapshot()) == listener.lines());
}

TEST_CASE("without a new segment the old one grows over its limit, and the next batch tries again") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.open = {1, 3, EMFILE};
    {
        const log made(options_for(dir.path()), reports.sink());  // with its first segment
    }
    collector listener;
    log opened(options_for(dir.path()), reports.sink(), fault.ops());
    const record_id first = opened.snapshot().next_id;
    opened.start(listener);
    for (std::uint64_t batch = 0; batch < 5; ++batch)
        opened.submit(numbered_batch(batch * 12, 12));
    REQUIRE(listener.wait_for(total));
    opened.stop(1s);
    check_complete(opened, listener, first);
    CHECK(fault.opens >= 4);
    const auto view = opened.snapshot();
    // Batches 1 to 3 went whole into the first segment; then one could be sealed again.
    REQUIRE(view.sealed->size() == 3);
    CHECK(view.segment(0).bytes == 36 * 40);
    CHECK(view.segment(1).bytes == 400);
    CHECK(view.segment(2).bytes == 400);
    CHECK(reports.count("grows over its limit") == 1);
    CHECK(reports.count("Too many open files") == 1);
    CHECK(reports.size() == 1);
}

TEST_CASE("a segment that cannot be removed is told once and tried again") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.unlink = {1, 3, EPERM};
    auto options = options_for(dir.path());
    options.backup_count = 1;
    collector listener;
    log opened(options, reports.sink(), fault.ops());
    opened.start(listener);
    opened.submit(numbered_batch(0, 35));  // three rotations, two removals due
    REQUIRE(listener.wait_for(35));
    CHECK(opened.snapshot().sealed->size() == 3);
    CHECK(reports.count("cannot remove") == 1);
    opened.submit(numbered_batch(35, 30));
    REQUIRE(listener.wait_for(65));
    CHECK(opened.snapshot().sealed->size() == 1);
    CHECK(segment_files(dir.path()).size() == 2);
    CHECK(reports.size() == 1);
}

TEST_CASE("a segment that somebody else removed is no failure") {
    const temp_dir dir;
    report_log reports;
    auto options = options_for(dir.path());
    options.backup_count = 1;
    collector listener;
    log opened(options, reports.sink());
    opened.start(listener);
    opened.submit(numbered_batch(0, 15));
    REQUIRE(listener.wait_for(15));
    // What is gone before it has been synced would be written anew.
    REQUIRE(eventually([&] { return listener.synced() == opened.snapshot().active.first_id; }));
    fs::remove(dir / segment_name(opened.snapshot().oldest_id()));
    opened.submit(numbered_batch(15, 15));
    REQUIRE(listener.wait_for(30));
    CHECK(opened.snapshot().sealed->size() == 1);
    CHECK(reports.all() == "");
}

TEST_CASE("a real limit of the kernel on file sizes: the log goes on in a new file") {
    const temp_dir dir;
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{4096 + 10, 4096 + 10};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
        report_log reports;
        auto options = options_for(dir.path());
        options.segment_max_bytes = 1 << 20;  // far above what the kernel lets a file hold
        collector listener;
        log opened(options, reports.sink());
        opened.start(listener);
        for (std::uint64_t n = 0; n < 300; ++n)
            opened.submit(numbered_batch(n, 1, 50));
        if (!listener.wait_for(300)) ::_exit(3);
        if (opened.stop(5s).unstored_records != 0) ::_exit(4);
        const auto view = opened.snapshot();
        if (read_all(view) != listener.lines() || listener.lines().size() != 300) ::_exit(5);
        // 82 records of 50 bytes fit a file: three sealed, and the rest.
        if (view.sealed->size() != 3 || view.segment(0).bytes != 4100) ::_exit(6);
        if (reports.count("File too large") == 0) ::_exit(7);
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("a state that cannot be written does not keep the log from working, but makes the next ids jump") {
    const temp_dir dir;
    report_log reports;
    record_id next = 0;
    fs::create_directory(dir / ".state.new");  // in the way of every new state
    {
        collector listener;
        log opened(options_for(dir.path()), reports.sink());
        opened.start(listener);
        opened.submit(numbered_batch(0, 25));
        REQUIRE(listener.wait_for(25));
        CHECK(opened.stop(1s).unstored_records == 0);
        next = opened.snapshot().next_id;
        CHECK(reports.count("ids will jump") == 2);  // at the start and at the end, not at every segment
    }
    CHECK_FALSE(fs::exists(dir / ".state"));
    fs::remove(dir / ".state.new");
    const log opened(options_for(dir.path()), reports.sink());
    CHECK(opened.recovered().jumped_from == next);
}

}  // namespace livelogd::storage::test
