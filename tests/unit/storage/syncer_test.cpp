// SPDX-License-Identifier: MIT
#include "daemon/storage/syncer.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

using namespace livelogd::storage;
using namespace livelogd::storage::test;

namespace {

std::shared_ptr<const segment_file> make_file(const temp_dir& dir, record_id first_id) {
    auto file = std::make_shared<segment_file>();
    file->first_id = first_id;
    file->path = dir / segment_name(first_id);
    file->fd = livelogd::base::unique_fd(
        ::open(file->path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    return file;
}

log_options with_policy(sync_policy policy) {
    log_options options;
    options.sync = policy;
    options.sync_interval = 50ms;
    options.sync_bytes = 1000;
    return options;
}

}  // namespace

TEST_CASE("interval: nothing is synced before its time, everything within it") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    const file_ops ops = fault.ops();
    syncer sync(with_policy(sync_policy::interval), reports.sink(), ops);
    sync.start({});
    const auto file = make_file(dir, 1);
    std::this_thread::sleep_for(80ms);
    CHECK(fault.datasyncs == 0);  // nothing to sync
    const auto begin = std::chrono::steady_clock::now();
    sync.written(file, 10, 0, false);
    sync.written(file, 10, 0, false);
    REQUIRE(eventually([&] { return fault.datasyncs > 0; }));
    CHECK(std::chrono::steady_clock::now() - begin >= 50ms);
    std::this_thread::sleep_for(80ms);
    CHECK(fault.datasyncs == 1);  // once, and not again while nothing is written
    sync.written(file, 10, 0, false);
    REQUIRE(eventually([&] { return fault.datasyncs == 2; }));
    CHECK(sync.stop());
    CHECK(fault.datasyncs == 2);
}

TEST_CASE("interval: much unsynced data does not wait") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    const file_ops ops = fault.ops();
    auto options = with_policy(sync_policy::interval);
    options.sync_interval = 1h;
    syncer sync(options, reports.sink(), ops);
    sync.start({});
    const auto file = make_file(dir, 1);
    sync.written(file, 999, 0, false);
    std::this_thread::sleep_for(30ms);
    CHECK(fault.datasyncs == 0);
    sync.written(file, 1, 0, false);
    CHECK(eventually([&] { return fault.datasyncs == 1; }));
}

TEST_CASE("always: whatever is written while a sync runs shares the next one") {
    const temp_dir dir;
    report_log reports;
    std::atomic<int> calls{0};
    std::atomic<bool> hold{true};
    file_ops ops;
    ops.fdatasync = [&](int) {
        ++calls;
        while (hold)
            std::this_thread::sleep_for(1ms);
        return 0;
    };
    syncer sync(with_policy(sync_policy::always), reports.sink(), ops);
    sync.start({});
    const auto file = make_file(dir, 1);
    sync.written(file, 1, 0, false);
    REQUIRE(eventually([&] { return calls == 1; }));
    for (int i = 0; i < 100; ++i)
        sync.written(file, 1, 0, false);
    hold = false;
    CHECK(sync.stop());
    CHECK(calls == 2);
}

TEST_CASE("none: only sealed segments and the last one at the end are synced") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    const file_ops ops = fault.ops();
    syncer sync(with_policy(sync_policy::none), reports.sink(), ops);
    sync.start({});
    auto first = make_file(dir, 1);
    sync.written(first, 5000, 0, false);
    std::this_thread::sleep_for(80ms);
    CHECK(fault.datasyncs == 0);
    sync.seal(std::move(first));
    REQUIRE(eventually([&] { return fault.syncs == 1; }));
    sync.written(make_file(dir, 2), 5, 0, false);
    CHECK(sync.stop());
    CHECK(fault.syncs == 1);
    CHECK(fault.datasyncs == 1);
}

TEST_CASE("sealed segments are synced in order and closed") {
    const temp_dir dir;
    report_log reports;
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
        syncer sync(with_policy(sync_policy::interval), reports.sink(), ops);
        for (record_id id = 1; id <= 20; ++id) {
            auto file = make_file(dir, id);
            expected.push_back(file->fd.get());
            files.push_back(file);
            sync.seal(std::move(file));
        }
        sync.start({});
        REQUIRE(eventually([&] {
            return std::all_of(files.begin(), files.end(), [](const auto& f) { return f.expired(); });
        }));
        CHECK(sync.stop());
    }
    CHECK(synced == expected);
}

TEST_CASE("when too many sealed segments wait, sealing waits") {
    const temp_dir dir;
    report_log reports;
    std::atomic<bool> hold{true};
    file_ops ops;
    ops.fsync = [&](int) {
        while (hold)
            std::this_thread::sleep_for(1ms);
        return 0;
    };
    syncer sync(with_policy(sync_policy::interval), reports.sink(), ops);
    sync.start({});
    for (record_id id = 1; id <= syncer::most_sealed_waiting; ++id)
        sync.seal(make_file(dir, id));
    std::atomic<bool> sealed{false};
    std::thread writer([&] {
        sync.seal(make_file(dir, 1000));
        sealed = true;
    });
    std::this_thread::sleep_for(50ms);
    CHECK_FALSE(sealed);
    hold = false;
    writer.join();
    CHECK(sealed);
    CHECK(sync.stop());
}

TEST_CASE("a failed sync is told once and stays a trouble until a later segment syncs") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.datasync = {1, 2, EIO};
    const file_ops ops = fault.ops();
    syncer sync(with_policy(sync_policy::always), reports.sink(), ops);
    sync.start({});
    CHECK_FALSE(sync.trouble());
    auto first = make_file(dir, 1);
    sync.written(first, 1, 0, false);
    REQUIRE(eventually([&] { return sync.trouble().has_value(); }));
    CHECK(sync.trouble()->find(segment_name(1)) != std::string::npos);
    CHECK(sync.trouble()->find("Input/output error") != std::string::npos);
    sync.written(first, 1, 0, false);
    REQUIRE(eventually([&] { return fault.datasyncs == 2; }));
    sync.written(first, 1, 0, false);  // works, but what was lost before stays lost
    REQUIRE(eventually([&] { return fault.datasyncs == 3; }));
    CHECK(sync.trouble());
    sync.seal(std::move(first));
    REQUIRE(eventually([&] { return fault.syncs == 1; }));
    CHECK(sync.trouble());
    sync.written(make_file(dir, 2), 1, 0, false);
    CHECK(eventually([&] { return !sync.trouble(); }));
    CHECK(sync.stop());
    CHECK(reports.count("cannot sync") == 1);
    CHECK(reports.count("synced again") == 1);
}

TEST_CASE("a stop that could not sync says so") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    fault.datasync = {1, 1000, EIO};
    const file_ops ops = fault.ops();
    syncer sync(with_policy(sync_policy::none), reports.sink(), ops);
    sync.start({});
    sync.written(make_file(dir, 1), 1, 0, false);
    CHECK_FALSE(sync.stop());
}
