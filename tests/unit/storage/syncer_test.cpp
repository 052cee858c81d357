// SPDX-License-Identifier: MIT
#include "daemon/storage/syncer.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

using namespace livelogd::storage;
using namespace livelogd::storage::test;

namespace {

using file_ptr = std::shared_ptr<const segment_file>;

file_ptr make_file(const temp_dir& dir, record_id first_id) {
    auto file = std::make_shared<segment_file>();
    file->first_id = first_id;
    file->path = dir / segment_name(first_id);
    file->fd = livelogd::base::unique_fd(
        ::open(file->path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    return file;
}

/// Lets the file really have so many bytes, and says so. Each byte counts as a record.
void grow(syncer& sync, const file_ptr& file, std::uint64_t bytes, bool durable = false) {
    REQUIRE(::ftruncate(file->fd.get(), static_cast<off_t>(bytes)) == 0);
    sync.written(file, bytes, file->first_id + bytes, durable);
}

log_options with_policy(sync_policy policy) {
    log_options options;
    options.sync = policy;
    options.sync_interval = 50ms;
    options.sync_bytes = 1000;
    return options;
}

/// What the sync thread has told.
struct told {
    std::atomic<record_id> synced{0};
    std::atomic<int> failures{0};
    syncer::events events() {
        return {[this](record_id end_id) { synced = end_id; }, [this] { ++failures; }};
    }
};

auto soon() {
    return std::chrono::steady_clock::now() + 20s;
}

}  // namespace

TEST_CASE("interval: nothing is synced before its time, everything within it") {
    const temp_dir dir;
    faults fault;
    const file_ops ops = fault.ops();
    syncer sync(with_policy(sync_policy::interval), ops, [] {});
    sync.start({});
    const auto file = make_file(dir, 1);
    std::this_thread::sleep_for(80ms);
    CHECK(fault.datasyncs == 0);  // nothing to sync
    const auto begin = std::chrono::steady_clock::now();
    grow(sync, file, 10);
    grow(sync, file, 20);
    REQUIRE(eventually([&] { return fault.datasyncs > 0; }));
    CHECK(std::chrono::steady_clock::now() - begin >= 50ms);
    std::this_thread::sleep_for(80ms);
    CHECK(fault.datasyncs == 1);  // once, and not again while nothing is written
    grow(sync, file, 30);
    REQUIRE(eventually([&] { return fault.datasyncs == 2; }));
    CHECK(sync.stop(soon()) == syncer::end::synced);
    CHECK(fault.datasyncs == 2);
}

TEST_CASE("interval: much unsynced data does not wait") {
    const temp_dir dir;
    faults fault;
    const file_ops ops = fault.ops();
    auto options = with_policy(sync_policy::interval);
    options.sync_interval = 1h;
    syncer sync(options, ops, [] {});
    sync.start({});
    const auto file = make_file(dir, 1);
    grow(sync, file, 999);
    std::this_thread::sleep_for(30ms);
    CHECK(fault.datasyncs == 0);
    grow(sync, file, 1000);
    CHECK(eventually([&] { return fault.datasyncs == 1; }));
    grow(sync, file, 1999);  // what is synced does not count again
    std::this_thread::sleep_for(30ms);
    CHECK(fault.datasyncs == 1);
    sync.flush();
    CHECK(eventually([&] { return sync.settled(); }));
}

TEST_CASE("what somebody waits for is synced at once under every policy, and all that wait share a sync") {
    const auto policy = GENERATE(sync_policy::none, sync_policy::interval, sync_policy::always);
    const temp_dir dir;
    std::atomic<int> calls{0};
    std::atomic<bool> hold{true};
    file_ops ops;
    ops.fdatasync = [&](int) {
        ++calls;
        while (hold)
            std::this_thread::sleep_for(1ms);
        return 0;
    };
    auto options = with_policy(policy);
    options.sync_interval = 1h;
    told tell;
    syncer sync(options, ops, [] {});
    sync.start(tell.events());
    const auto file = make_file(dir, 1);
    grow(sync, file, 1, true);
    REQUIRE(eventually([&] { return calls == 1; }));
    for (std::uint64_t i = 2; i <= 100; ++i)
        grow(sync, file, i, true);
    CHECK(tell.synced == 0);
    hold = false;
    REQUIRE(eventually([&] { return tell.synced == 101; }));
    CHECK(calls == 2);
    CHECK(sync.stop(soon()) == syncer::end::synced);
}

TEST_CASE("none: only sealed segments and the last one at the end are synced") {
    const temp_dir dir;
    faults fault;
    const file_ops ops = fault.ops();
    told tell;
    syncer sync(with_policy(sync_policy::none), ops, [] {});
    sync.start(tell.events());
    auto first = make_file(dir, 1);
    grow(sync, first, 5000);
    std::this_thread::sleep_for(80ms);
    CHECK(fault.datasyncs == 0);
    CHECK(tell.synced == 0);
    sync.seal(std::move(first), 5000, 5001);
    REQUIRE(eventually([&] { return fault.syncs == 1; }));
    grow(sync, make_file(dir, 5001), 5);
    CHECK(sync.stop(soon()) == syncer::end::synced);
    CHECK(fault.syncs == 1);
    CHECK(fault.datasyncs == 1);
    CHECK(tell.synced == 5006);
}

TEST_CASE("sealed segments are synced in order and closed") {
    const temp_dir dir;
    std::mutex mutex;
    std::vector<int> synced;
    file_ops ops;
    ops.fsync = [&](int fd) {
        const std::lock_guard lock(mutex);
        synced.push_back(fd);
        return 0;
    };
    std::vector<int> expected;
    std::vector<std::weak_ptr<const segment_file>> files;
    {
        syncer sync(with_policy(sync_policy::interval), ops, [] {});
        for (record_id id = 1; id <= 20; ++id) {
            auto file = make_file(dir, id);
            expected.push_back(file->fd.get());
            files.push_back(file);
            sync.seal(std::move(file), 0, id + 1);
        }
        sync.start({});
        REQUIRE(eventually([&] {
            return std::all_of(files.begin(), files.end(), [](const auto& f) { return f.expired(); });
        }));
        CHECK(sync.stop(soon()) == syncer::end::synced);
    }
    CHECK(synced == expected);
}

TEST_CASE("the name of a file is safe before anything in it counts as synced, and made so once") {
    const temp_dir dir;
    std::mutex mutex;
    std::vector<std::string> calls;
    const auto note = [&](std::string what) {
        const std::lock_guard lock(mutex);
        calls.push_back(std::move(what));
    };
    file_ops ops;
    ops.fsync = [&](int) { return note("sealed"), 0; };
    ops.fdatasync = [&](int) { return note("active"), 0; };
    const auto thread = std::this_thread::get_id();
    syncer sync(with_policy(sync_policy::always), ops, [&] {
        CHECK(std::this_thread::get_id() != thread);
        note("names");
    });
    told tell;
    sync.start(tell.events());
    const auto first = make_file(dir, 1);
    for (const std::uint64_t bytes : {10u, 20u}) {
        grow(sync, first, bytes);
        REQUIRE(eventually([&] { return tell.synced == 1 + bytes; }));
    }
    sync.seal(first, 20, 21);
    const auto second = make_file(dir, 21);
    grow(sync, second, 10);
    REQUIRE(eventually([&] { return tell.synced == 31; }));
    CHECK(sync.stop(soon()) == syncer::end::synced);
    CHECK(calls == std::vector<std::string>{"names", "active", "active", "sealed", "names", "active"});
}

TEST_CASE("the names of all segments that wait are made safe at once") {
    const temp_dir dir;
    std::atomic<int> names{0};
    faults fault;
    const file_ops ops = fault.ops();
    syncer sync(with_policy(sync_policy::interval), ops, [&] { ++names; });
    for (const record_id id : {1u, 11u, 21u}) {
        const auto file = make_file(dir, id);
        grow(sync, file, 10);
        sync.seal(file, 10, id + 10);
    }
    sync.start({});
    CHECK(sync.stop(soon()) == syncer::end::synced);
    CHECK(fault.syncs == 3);
    CHECK(names == 1);
}

TEST_CASE("when too many sealed segments wait, it is behind") {
    const temp_dir dir;
    std::atomic<bool> hold{true};
    file_ops ops;
    ops.fsync = [&](int) {
        while (hold)
            std::this_thread::sleep_for(1ms);
        return 0;
    };
    syncer sync(with_policy(sync_policy::interval), ops, [] {});
    sync.start({});
    for (record_id id = 1; id <= syncer::most_sealed_waiting; ++id) {
        CHECK_FALSE(sync.behind());
        sync.seal(make_file(dir, id), 0, id + 1);
    }
    CHECK(sync.behind());
    hold = false;
    CHECK(eventually([&] { return !sync.behind(); }));
    CHECK(sync.stop(soon()) == syncer::end::synced);
}

TEST_CASE("after a failed sync nothing counts as synced until the writer has put things right") {
    const temp_dir dir;
    faults fault;
    fault.datasync = {2, 1, EIO};
    const file_ops ops = fault.ops();
    told tell;
    syncer sync(with_policy(sync_policy::always), ops, [] {});
    sync.start(tell.events());
    auto first = make_file(dir, 1);
    grow(sync, first, 1);
    REQUIRE(eventually([&] { return tell.synced == 2; }));
    grow(sync, first, 2);
    REQUIRE(eventually([&] { return tell.failures == 1; }));
    REQUIRE(sync.failure());
    CHECK(sync.failure()->find(segment_name(1)) != std::string::npos);
    CHECK(sync.failure()->find("Input/output error") != std::string::npos);
    grow(sync, first, 3);
    sync.seal(std::move(first), 3, 4);
    std::this_thread::sleep_for(50ms);
    CHECK(fault.datasyncs == 2);  // a second try would prove nothing
    CHECK(fault.syncs == 0);
    CHECK(tell.synced == 2);

    sync.resume();
    CHECK_FALSE(sync.failure());
    grow(sync, make_file(dir, 4), 2);
    REQUIRE(eventually([&] { return tell.synced == 6; }));
    CHECK(tell.failures == 1);
    CHECK(sync.stop(soon()) == syncer::end::synced);
}

TEST_CASE("a file that somebody has removed, replaced or cut is no synced file") {
    const temp_dir dir;
    const file_ops ops;
    told tell;
    syncer sync(with_policy(GENERATE(sync_policy::none, sync_policy::interval)), ops, [] {});
    sync.start(tell.events());
    const auto file = make_file(dir, 1);
    std::string expected;
    SECTION("removed") {
        fs::remove(file->path);
        expected = "was removed or renamed";
    }
    SECTION("replaced") {
        fs::rename(file->path, dir / "elsewhere");
        write_file(file->path, "");
        expected = "was replaced by another file";
    }
    SECTION("cut") {
        sync.written(file, 5, 2, false);  // of which nothing is there
        expected = "was cut to 0 bytes";
    }
    if (expected != "was cut to 0 bytes") grow(sync, file, 10);
    REQUIRE(eventually([&] { return tell.failures == 1; }));
    CHECK(sync.failure()->find(expected) != std::string::npos);
    CHECK(tell.synced == 0);
}

TEST_CASE("a stop that could not sync says so") {
    const temp_dir dir;
    faults fault;
    fault.datasync = {1, 1000, EIO};
    const file_ops ops = fault.ops();
    syncer sync(with_policy(sync_policy::none), ops, [] {});
    sync.start({});
    grow(sync, make_file(dir, 1), 1);
    CHECK(sync.stop(soon()) == syncer::end::unsynced);
}

TEST_CASE("a stop does not wait for ever for a disk that hangs") {
    const temp_dir dir;
    std::atomic<bool> hold{true};
    file_ops ops;
    ops.fdatasync = [&](int) {
        while (hold)
            std::this_thread::sleep_for(1ms);
        return 0;
    };
    syncer sync(with_policy(sync_policy::always), ops, [] {});
    sync.start({});
    grow(sync, make_file(dir, 1), 1);
    CHECK(sync.stop(std::chrono::steady_clock::now() + 50ms) == syncer::end::hangs);
    hold = false;
    CHECK(sync.stop(soon()) == syncer::end::synced);
}
