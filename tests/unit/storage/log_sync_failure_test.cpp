// SPDX-License-Identifier: MIT
// What the log does when what it has written cannot be trusted: a sync fails, or somebody moves, removes or
// cuts its files.
#include "daemon/storage/log.hpp"
#include "daemon/storage/log_state.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

namespace livelogd::storage::test {

namespace {

log_options syncing(const fs::path& directory, sync_policy policy = sync_policy::always) {
    auto options = options_for(directory);
    options.segment_max_bytes = 1 << 20;
    options.sync = policy;
    options.sync_interval = 5ms;
    return options;
}

log_options bounded(log_options options, std::uint64_t unsynced_max_bytes) {
    options.unsynced_max_bytes = unsynced_max_bytes;
    return options;
}

/// Every record of every file, by id; a second copy of an id is an error, whatever it holds.
std::map<record_id, std::string> files_of(const fs::path& directory) {
    std::map<record_id, std::string> lines;
    for (const auto& name : segment_files(directory)) {
        const std::string text = read_file(directory / name);
        record_id id = *parse_segment_name(name);
        for (std::size_t at = 0; at < text.size(); ++id) {
            const auto end = text.find('\n', at);
            if (end == std::string::npos) throw std::runtime_error(name + " ends with a torn line");
            if (!lines.emplace(id, text.substr(at, end + 1 - at)).second)
                throw std::runtime_error("two files hold the same id");
            at = end + 1;
        }
    }
    return lines;
}

struct world {
    explicit world(sync_policy policy = sync_policy::always, std::uint64_t unsynced_max_bytes = 64u << 20)
        : opened(bounded(syncing(dir / "logs", policy), unsynced_max_bytes), reports.sink(), fault.ops()),
          first(opened.snapshot().next_id) {}

    void submit_and_sync(std::uint64_t number, std::size_t count) {
        const auto end = opened.submit(numbered_batch(number, count));
        REQUIRE(eventually([&] { return listener.synced() >= end; }));
    }
    [[nodiscard]] fs::path logs() const { return dir / "logs"; }
    [[nodiscard]] bool well() const { return !opened.trouble().has_value(); }

    const temp_dir dir;
    report_log reports;
    faults fault;
    collector listener;
    log opened;
    record_id first;
};

}  // namespace

TEST_CASE("after a failed sync the file is cut to what was synced, and the rest is in a new one") {
    world w;
    w.fault.datasync = {2, 1, EIO};
    w.opened.start(w.listener);
    w.submit_and_sync(0, 3);
    w.submit_and_sync(3, 4);
    CHECK(w.well());
    REQUIRE(eventually([&] { return w.listener.outages().size() == 1; }));
    const auto outage = w.listener.outages().front();
    CHECK(outage.rewritten_records == 4);
    CHECK(outage.reason.find("Input/output error") != std::string::npos);
    CHECK(segment_files(w.logs()) == std::vector{segment_name(w.first), segment_name(w.first + 3)});
    CHECK(read_file(w.logs() / segment_name(w.first)) == record_of(0) + record_of(1) + record_of(2));
    CHECK(fs::read_symlink(w.logs() / "current") == segment_name(w.first + 3));
    CHECK(read_all(w.opened.snapshot()) == w.listener.lines());

    w.submit_and_sync(7, 2);
    CHECK(w.opened.stop(1s).unsynced == false);
    CHECK(files_of(w.logs()) == w.listener.lines());
    CHECK(w.listener.in_order());
    CHECK(state_file(w.logs()).load()->clean);
    CHECK(w.reports.count("4 records have been written anew") == 1);
}

TEST_CASE("a file of which nothing was synced is replaced as a whole") {
    world w;
    w.fault.datasync = {1, 1, EIO};
    w.opened.start(w.listener);
    w.submit_and_sync(0, 3);
    CHECK(segment_files(w.logs()) == std::vector{segment_name(w.first)});
    w.opened.stop(1s);
    CHECK(files_of(w.logs()) == w.listener.lines());
}

TEST_CASE(
    "while syncs fail for good, records are held, shown and not promised, and all is stored when they work") {
    world w(GENERATE(sync_policy::always, sync_policy::interval));
    w.opened.start(w.listener);
    w.submit_and_sync(0, 5);
    w.fault.change(&faults::datasync, w.fault.datasyncs, 1'000'000, EIO);
    for (std::uint64_t n = 5; n < 50; n += 5)
        w.opened.submit(numbered_batch(n, 5));
    REQUIRE(eventually([&] { return !w.well(); }));
    REQUIRE(w.listener.wait_for(50));
    CHECK(read_all(w.opened.snapshot()) == w.listener.lines());
    CHECK(w.listener.synced() == w.first + 5);
    std::this_thread::sleep_for(20ms);
    CHECK(read_all(w.opened.snapshot()) == w.listener.lines());

    SECTION("they work again") {
        w.fault.healed = true;
        REQUIRE(eventually([&] { return w.listener.synced() == w.first + 50; }));
        CHECK(eventually([&] { return w.well(); }));
        CHECK(read_all(w.opened.snapshot()) == w.listener.lines());
        CHECK_FALSE(w.opened.stop(1s).unsynced);
    }
    SECTION("they do not, and the daemon stops: it says so") {
        const auto stopped = w.opened.stop(30ms);
        CHECK(stopped.unsynced);
        CHECK(stopped.unsynced_records + stopped.unstored_records == 45);
        CHECK_FALSE(state_file(w.logs()).load()->clean);
        return;
    }
    CHECK(files_of(w.logs()) == w.listener.lines());
}

TEST_CASE("a sealed segment that cannot be synced is written anew, and so is what follows") {
    world w(sync_policy::interval);
    w.opened.set_limits({.segment_max_bytes = 400, .backup_count = 1000});
    w.fault.sync = {2, 1, EIO};
    w.opened.start(w.listener);
    for (std::uint64_t n = 0; n < 100; n += 4)
        w.opened.submit(numbered_batch(n, 4));
    REQUIRE(eventually([&] { return w.listener.outages().size() == 1; }));
    REQUIRE(eventually([&] { return w.listener.synced() == w.first + 100; }));
    CHECK(read_all(w.opened.snapshot()) == w.listener.lines());
    w.opened.stop(1s);
    CHECK(files_of(w.logs()) == w.listener.lines());
    CHECK(w.listener.lines().size() == 100);
}

TEST_CASE("any step of writing anew may fail, and is done again") {
    const auto which = GENERATE(0u, 1u, 2u, 3u, 4u);
    CAPTURE(which);
    world w;
    w.opened.start(w.listener);
    w.submit_and_sync(0, 3);
    const std::array plans{&faults::open, &faults::write, &faults::datasync, &faults::rename,
                           &faults::truncate};
    const std::array counts{&w.fault.opens, &w.fault.writes, &w.fault.datasyncs, &w.fault.renames,
                            &w.fault.truncates};
    // The first sync from here on fails, and then this step, twice; the first write is the record's own.
    w.fault.change(&faults::datasync, w.fault.datasyncs, which == 2 ? 3 : 1, EIO);
    if (which == 1) ++w.fault.writes;  // leaves out the record's own
    if (which != 2) w.fault.change(plans.at(which), *counts.at(which), 2, ENOSPC);
    if (which == 1) --w.fault.writes;
    w.submit_and_sync(3, 3);
    CHECK(eventually([&] { return w.well(); }));
    w.submit_and_sync(6, 1);
    w.opened.stop(1s);
    CHECK(files_of(w.logs()) == w.listener.lines());
    CHECK(read_all(w.opened.snapshot()) == w.listener.lines());
    CHECK(w.reports.count("is also in") == (which == 4 ? 1 : 0));
}

TEST_CASE("a full disk and a failing sync at the same time") {
    world w(sync_policy::interval);
    w.opened.start(w.listener);
    w.submit_and_sync(0, 3);
    w.fault.change(&faults::datasync, w.fault.datasyncs, 1'000'000, EIO);
    w.opened.submit(numbered_batch(3, 3));
    w.fault.disk_full = true;
    w.opened.submit(numbered_batch(6, 3));
    REQUIRE(eventually([&] { return !w.well(); }));
    w.opened.submit(numbered_batch(9, 3));
    REQUIRE(w.listener.wait_for(12));
    std::this_thread::sleep_for(20ms);
    CHECK(read_all(w.opened.snapshot()) == w.listener.lines());
    w.fault.healed = true;
    REQUIRE(eventually([&] { return w.listener.synced() == w.first + 12; }));
    w.opened.stop(1s);
    CHECK(files_of(w.logs()) == w.listener.lines());
}

TEST_CASE("under `none` a failed sync has nothing to write anew, and the stop is not clean") {
    world w(sync_policy::none);
    w.opened.start(w.listener);
    w.opened.submit(numbered_batch(0, 3));
    REQUIRE(w.listener.wait_for(3));
    w.fault.change(&faults::datasync, w.fault.datasyncs, 1, EIO);
    const auto stopped = w.opened.stop(1s);
    CHECK(stopped.unsynced);
    CHECK(stopped.unsynced_records == 0);
    CHECK(stopped.unstored_records == 0);
    CHECK(files_of(w.logs()) == w.listener.lines());
}

TEST_CASE("under `none` what somebody wants to be durable is kept until it is") {
    world w(sync_policy::none);
    w.opened.start(w.listener);
    w.opened.submit(numbered_batch(0, 3));
    w.fault.change(&faults::datasync, w.fault.datasyncs, 1, EIO);
    auto batch = numbered_batch(3, 3);
    batch.durable = true;
    const auto end = w.opened.submit(std::move(batch));
    REQUIRE(eventually([&] { return w.listener.synced() >= end; }));
    CHECK(eventually([&] { return w.well(); }));
    REQUIRE(eventually([&] { return w.listener.outages().size() == 1; }));
    CHECK(w.listener.outages().front().rewritten_records == 3);
    w.opened.stop(1s);
    CHECK(files_of(w.logs()) == w.listener.lines());
}

TEST_CASE(
    "under `none`, where nothing but durable records was written, a mended failure leaves no doubt at the "
    "stop") {
    world w(sync_policy::none);
    w.opened.start(w.listener);
    for (std::uint64_t n = 0; n < 9; n += 3) {
        if (n == 3) w.fault.change(&faults::datasync, w.fault.datasyncs, 1, EIO);
        auto batch = numbered_batch(n, 3);
        batch.durable = true;
        const auto end = w.opened.submit(std::move(batch));
        REQUIRE(eventually([&] { return w.listener.synced() >= end; }));
    }
    CHECK_FALSE(w.opened.stop(1s).unsynced);
    CHECK(w.listener.outages().size() == 1);
    CHECK(state_file(w.logs()).load()->clean);
}

TEST_CASE("what is unsynced when somebody takes the file away is in a new one") {
    world w(sync_policy::interval);
    w.opened.start(w.listener);
    w.submit_and_sync(0, 10);
    const auto path = w.logs() / segment_name(w.first);
    SECTION("renamed") {
        fs::rename(path, w.dir / "elsewhere");
        w.submit_and_sync(10, 5);
        CHECK(read_file(w.dir / "elsewhere").starts_with(record_of(0)));
    }
    SECTION("removed") {
        fs::remove(path);
        w.submit_and_sync(10, 5);
    }
    SECTION("the whole directory renamed") {
        fs::rename(w.logs(), w.dir / "elsewhere");
        w.submit_and_sync(10, 5);
        CHECK(w.reports.count("had been removed or renamed") >= 1);
        CHECK(mode_of(w.logs()) == 0750);
        CHECK_THROWS_AS(log(syncing(w.logs()), w.reports.sink()), log_error);  // it is locked again
    }
    CHECK(eventually([&] { return w.well(); }));
    w.submit_and_sync(15, 5);
    const auto found = read_all(w.opened.snapshot());
    const auto told = w.listener.lines();
    CHECK(found == std::map<record_id, std::string>(told.find(w.first + 10), told.end()));
    REQUIRE(w.opened.snapshot().lost->size() == 1);
    CHECK(w.opened.snapshot().lost->front().from == w.first);
    CHECK(w.opened.snapshot().lost->front().to == w.first + 9);
    w.opened.stop(1s);
    CHECK(files_of(w.logs()) == found);
}

TEST_CASE("what is left of a file that somebody has cut keeps its ids") {
    world w(sync_policy::interval);
    w.opened.start(w.listener);
    w.submit_and_sync(0, 10);
    const auto path = w.logs() / segment_name(w.first);
    const unsigned kept = GENERATE(0u, 4u);
    // In the middle of a line: what is appended lands behind the fragment.
    fs::resize_file(path, kept * 40 + (kept > 0 ? 17 : 0));
    w.submit_and_sync(10, 1);
    CHECK(eventually([&] { return w.well(); }));
    w.submit_and_sync(11, 5);
    const auto view = w.opened.snapshot();
    const auto found = read_all(view);
    const auto told = w.listener.lines();
    for (const auto& [id, line] : found)
        CHECK(told.at(id) == line);
    CHECK(found.contains(w.first + 10));
    CHECK(found.contains(w.first + 15));
    CHECK_FALSE(found.contains(w.first + 9));
    // Of the bytes that were left, as many as were appended since the last sync may be somebody else's.
    CHECK(found.contains(w.first) == (kept > 0));
    REQUIRE(view.lost->size() == 1);
    CHECK(view.lost->front().to == w.first + 9);
    w.opened.stop(1s);
    CHECK(files_of(w.logs()) == found);
}

TEST_CASE("under `none` what is kept for the sake of a durable record does not stop the writer") {
    world w(sync_policy::none, 1000);
    w.opened.start(w.listener);
    for (std::uint64_t n = 0; n < 200; ++n) {
        auto batch = numbered_batch(n, 1);
        batch.durable = n == 0;
        w.opened.submit(std::move(batch));
    }
    REQUIRE(w.listener.wait_for(200));
    CHECK(eventually([&] { return w.listener.written() == w.first + 200; }));
}

TEST_CASE("a stop tries once more, however long the pause between two tries is") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.datasync = {2, 1'000'000, EIO};
    auto options = syncing(dir.path());
    options.retry_interval = 10s;
    collector listener;
    log opened(options, reports.sink(), fault.ops());
    opened.start(listener);
    opened.submit(numbered_batch(0, 3));
    REQUIRE(eventually([&] { return listener.synced() > 0; }));
    opened.submit(numbered_batch(3, 3));
    REQUIRE(eventually([&] { return fault.datasyncs >= 3; }));  // and now it waits
    fault.healed = true;
    const auto stopped = opened.stop(1s);
    CHECK(stopped.unstored_records == 0);
    CHECK_FALSE(stopped.unsynced);
    CHECK(files_of(dir.path()) == listener.lines());
}

TEST_CASE("a stop ends also while a write hangs") {
    const temp_dir dir;
    report_log reports;
    std::atomic<bool> hold{true};
    file_ops ops;
    ops.write = [&](int fd, const void* bytes, std::size_t size) {
        while (hold)
            std::this_thread::sleep_for(1ms);
        return ::write(fd, bytes, size);
    };
    collector listener;
    log opened(syncing(dir.path()), reports.sink(), ops);
    opened.start(listener);
    opened.submit(numbered_batch(0, 3));
    const auto begin = std::chrono::steady_clock::now();
    const auto stopped = opened.stop(30ms, 30ms);
    CHECK(std::chrono::steady_clock::now() - begin < 10s);
    CHECK(stopped.hangs);
    CHECK(stopped.unstored_records == 3);
    hold = false;
}

TEST_CASE("what waits to be synced is bounded: the writer waits for the disk") {
    const temp_dir dir;
    report_log reports;
    std::atomic<bool> hold{true};
    file_ops ops;
    ops.fdatasync = [&](int fd) {
        while (hold)
            std::this_thread::sleep_for(1ms);
        return ::fdatasync(fd);
    };
    auto options = syncing(dir.path());
    options.unsynced_max_bytes = 1000;
    collector listener;
    log opened(options, reports.sink(), ops);
    const auto first = opened.snapshot().next_id;
    opened.start(listener);
    for (std::uint64_t n = 0; n < 100; ++n)
        opened.submit(numbered_batch(n, 1));
    REQUIRE(listener.wait_for(26));
    std::this_thread::sleep_for(50ms);
    CHECK(listener.lines().size() == 26);  // the first one that is over the limit is the last
    CHECK(opened.pending_bytes() == 74 * 40);

    SECTION("and goes on with it") {
        hold = false;
        REQUIRE(listener.wait_for(100));
        CHECK(eventually([&] { return listener.synced() == first + 100; }));
    }
    SECTION("and a stop does not wait for ever") {
        const auto stopped = opened.stop(50ms, 50ms);
        CHECK(stopped.hangs);
        CHECK(stopped.unstored_records == 74);
        CHECK(stopped.unsynced_records == 26);
        hold = false;
    }
}

}  // namespace livelogd::storage::test
