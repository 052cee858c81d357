// SPDX-License-Identifier: MIT
// A log that compresses what it has sealed.
#include "daemon/storage/frame_table.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <set>

namespace livelogd::storage::test {
namespace {

log_options compressing(const fs::path& directory) {
    auto options = options_for(directory);
    options.segment_max_bytes = 4000;
    options.compress = true;
    options.compress_retry_interval = 5ms;
    return options;
}

bool all_compressed(const log& opened) {
    const auto view = opened.snapshot();
    return std::ranges::all_of(*view.sealed, &segment_info::is_compressed);
}

std::set<std::string> names_in(const fs::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) {
        const auto name = entry.path().filename().string();
        if (name.starts_with("live-")) names.insert(name);
    }
    return names;
}

/// A log with some sealed segments, stopped.
std::map<record_id, std::string> fill(const fs::path& directory, bool compress) {
    report_log reports;
    collector listener;
    auto options = compressing(directory);
    options.compress = compress;
    log opened(options, reports.sink());
    opened.start(listener);
    for (std::uint64_t n = 0; n < 600; n += 20)
        opened.submit(numbered_batch(n, 20, 100));
    REQUIRE(listener.wait_for(600));
    if (compress) REQUIRE(eventually([&] { return all_compressed(opened); }));
    CHECK(opened.stop(5s).unstored_records == 0);
    INFO(reports.all());
    CHECK(reports.size() == 0);
    return read_all(opened.snapshot());
}

}  // namespace

TEST_CASE("sealed segments are compressed, and read as before, also by who had them open") {
    const temp_dir dir;
    report_log reports;
    collector listener;
    auto options = compressing(dir.path());
    options.compress = false;
    log opened(options, reports.sink());
    opened.start(listener);
    for (std::uint64_t n = 0; n < 1000; n += 20)
        opened.submit(numbered_batch(n, 20, 100));
    REQUIRE(listener.wait_for(1000));
    const auto before = opened.snapshot();
    const auto plain = read_all(before);
    const auto handle = open_segment(before, 0);
    const auto identity = identity_of(before, 0);
    opened.set_limits(log_limits{.segment_max_bytes = 4000, .backup_count = 1000, .compress = true});
    REQUIRE(eventually([&] { return all_compressed(opened); }));  // without a record that wakes it
    const auto after = opened.snapshot();
    REQUIRE(after.sealed->size() == before.sealed->size());
    CHECK(read_all(after) == plain);
    CHECK(read_all(before) == plain);  // opens what has been compressed since
    std::string text(before.segment(0).bytes, '\0');
    CHECK(handle.get().read(text.data(), text.size(), 0) == text.size());
    CHECK(handle.get().is_removed());
    CHECK(identity_of(before, 0) == identity);
    CHECK(identity_of(after, 0) == identity);
    CHECK(open_segment(after, 0).get().identity() == identity);
    for (std::size_t i = 0; i < after.sealed->size(); ++i) {
        CHECK(after.segment(i).bytes == before.segment(i).bytes);
        CHECK_FALSE(fs::exists(dir / segment_name(after.segment(i).first_id)));
        CHECK(fs::file_size(dir / compressed_name(after.segment(i).first_id))
              == after.segment(i).disk_bytes());
    }
    CHECK(fs::read_symlink(dir / "current") == segment_name(after.active.first_id));
    INFO(reports.all());
    CHECK(reports.size() == 0);
}

TEST_CASE("a compressed log is opened again, with and without compressing more") {
    const temp_dir dir;
    const auto records = fill(dir.path(), true);
    for (const bool compress : {false, true, false}) {
        report_log reports;
        collector listener;
        auto options = compressing(dir.path());
        options.compress = compress;
        log opened(options, reports.sink());
        CHECK(read_all(opened.snapshot()) == records);
        CHECK_FALSE(opened.recovered().jumped_from);
        CHECK(all_compressed(opened));
        opened.start(listener);
        opened.stop(5s);
        CHECK(reports.size() == 0);
    }
}

TEST_CASE("what a kill between the steps of compressing leaves is put in order at the start") {
    const temp_dir dir;
    const auto records = fill(dir.path(), true);
    const auto names = names_in(dir.path());
    const auto at = [&](std::size_t i) { return dir / *std::next(names.begin(), static_cast<long>(i)); };
    const auto plain_of = [&](std::size_t i) { return fs::path(at(i)).replace_extension(); };
    {
        // Both there: the plain one counts, whatever the other says. Empty, it does not.
        report_log reports;
        const log opened(compressing(dir.path()), reports.sink());
        const auto view = opened.snapshot();
        std::string text(view.segment(0).bytes, '\0');
        open_segment(view, 0).get().read(text.data(), text.size(), 0);
        write_file(plain_of(0), text);
    }
    write_file(at(0), "half of a compressed file");
    write_file(plain_of(1), "");
    write_file(at(2).string() + ".new", read_file(at(2)).substr(0, 50));
    write_file(plain_of(2).string() + ".new", "of something else");
    report_log reports;
    collector listener;
    log opened(compressing(dir.path()), reports.sink());
    CHECK(read_all(opened.snapshot()) == records);
    CHECK_FALSE(opened.snapshot().segment(0).is_compressed());
    opened.start(listener);
    REQUIRE(eventually([&] { return all_compressed(opened); }));
    CHECK(read_all(opened.snapshot()) == records);
    CHECK(names_in(dir.path()) == names);
    CHECK(reports.size() == 0);
}

TEST_CASE("a damaged compressed segment is a gap: told, passed over, removed in its turn") {
    const temp_dir dir;
    const auto records = fill(dir.path(), true);
    const auto names = names_in(dir.path());
    const auto second = dir / *std::next(names.begin());
    fs::resize_file(second, fs::file_size(second) - 1);
    report_log reports;
    collector listener;
    auto options = compressing(dir.path());
    log opened(options, reports.sink());
    const auto view = opened.snapshot();
    INFO(reports.all());
    CHECK(reports.count("its records are told as missing") == 1);
    CHECK(view.segment_count() == names.size());
    CHECK_FALSE(open_segment(view, 1));
    CHECK(reports.size() == 2);  // once more by the reader, and then not again
    CHECK_FALSE(open_segment(view, 1));
    CHECK(reports.size() == 2);
    CHECK(open_segment(view, 2));
    opened.start(listener);
    opened.set_limits({.segment_max_bytes = 100, .backup_count = 1});
    REQUIRE(eventually([&] { return opened.snapshot().sealed->size() == 1; }));
    CHECK_FALSE(fs::exists(second));
    CHECK(records.size() == 600);
}

TEST_CASE("the last plain segment is gone and the newest is compressed: a new one begins, and ids jump") {
    const temp_dir dir;
    const auto records = fill(dir.path(), true);
    const auto names = names_in(dir.path());
    fs::remove(dir / *names.rbegin());
    report_log reports;
    const log opened(compressing(dir.path()), reports.sink());
    CHECK(opened.recovered().jumped_from);
    CHECK(opened.snapshot().next_id > records.rbegin()->first);
    CHECK(opened.snapshot().segment_count() == names.size());
}

TEST_CASE("a full disk while compressing leaves the originals, and it is tried again") {
    const temp_dir dir;
    const auto records = fill(dir.path(), false);
    report_log reports;
    collector listener;
    faults f;
    f.disk_full = true;
    log opened(compressing(dir.path()), reports.sink(), f.ops());
    opened.start(listener);
    REQUIRE(eventually([&] { return reports.count("stay uncompressed for now") == 1; }));
    const auto failures = f.writes.load();
    REQUIRE(eventually([&] { return f.writes > failures + 3; }));
    CHECK(reports.size() == 1);  // told once
    CHECK(read_all(opened.snapshot()) == records);
    CHECK(names_in(dir.path()) == names_in(dir.path()));
    for (const auto& name : names_in(dir.path()))
        CHECK((name.ends_with(".jsonl") || name.ends_with(".new")));
    f.disk_full = false;
    REQUIRE(eventually([&] { return all_compressed(opened); }));
    CHECK(read_all(opened.snapshot()) == records);
    CHECK_FALSE(opened.trouble());
}

TEST_CASE("a rename that fails leaves the original in its place") {
    const temp_dir dir;
    const auto records = fill(dir.path(), false);
    report_log reports;
    collector listener;
    faults f;
    f.rename = {.from = 1, .count = 2, .error = EIO};
    log opened(compressing(dir.path()), reports.sink(), f.ops());
    opened.start(listener);
    REQUIRE(eventually([&] { return f.renames >= 2; }));
    CHECK(read_all(opened.snapshot()) == records);
    REQUIRE(eventually([&] { return all_compressed(opened); }));
    CHECK(read_all(opened.snapshot()) == records);
    CHECK(reports.size() == 1);
}

TEST_CASE("retention removes compressed segments, by count and by their size on the disk") {
    const temp_dir dir;
    const auto records = fill(dir.path(), true);
    report_log reports;
    collector listener;
    log opened(compressing(dir.path()), reports.sink());
    const auto view = opened.snapshot();
    opened.start(listener);
    // What is held counts before compression.
    opened.set_limits({.segment_max_bytes = 4000, .backup_count = 3, .compress = true});
    REQUIRE(eventually([&] { return opened.snapshot().sealed->size() == 3; }));
    std::uint64_t two = 0;
    for (std::size_t i = view.sealed->size() - 2; i < view.sealed->size(); ++i)
        two += view.segment(i).disk_bytes();
    opened.set_limits(
        {.segment_max_bytes = 4000, .backup_count = 1000, .total_bytes = 4000 + two, .compress = true});
    REQUIRE(eventually([&] { return opened.snapshot().sealed->size() == 2; }));
    CHECK(names_in(dir.path()).size() == 3);
    CHECK(records.lower_bound(opened.snapshot().oldest_id())->second
          == read_all(opened.snapshot()).begin()->second);
}

TEST_CASE("segments that are too old go, and the one that grows is sealed, though nothing is written") {
    const temp_dir dir;
    report_log reports;
    collector listener;
    auto options = compressing(dir.path());
    options.max_age = 1200ms;
    log opened(options, reports.sink());
    opened.start(listener);
    opened.submit(numbered_batch(1, 100, 100));
    REQUIRE(listener.wait_for(100));
    const auto end = std::chrono::steady_clock::now() + 1000ms;
    const auto first_id = opened.snapshot().oldest_id();
    CHECK(opened.snapshot().active.bytes > 0);
    REQUIRE(eventually([&] { return opened.snapshot().active.bytes == 0; }));
    if (std::chrono::steady_clock::now() < end) CHECK(opened.snapshot().oldest_id() == first_id);
    REQUIRE(eventually([&] { return opened.snapshot().segment_count() == 1; }));
    CHECK(std::chrono::steady_clock::now() >= end);
    CHECK(names_in(dir.path()).size() == 1);
    CHECK(opened.snapshot().oldest_id() == first_id + 100);
    opened.submit(numbered_batch(101, 1, 100));
    REQUIRE(listener.wait_for(101));
    CHECK(opened.stop(5s).unstored_records == 0);
    INFO(reports.all());
    CHECK(reports.size() == 0);
}

TEST_CASE("a clock that goes forward far does not purge the log, and not at the next start either") {
    const temp_dir dir;
    const auto records = fill(dir.path(), false);
    // To the log it is the same whether the clock is ten years ahead or its files are ten years old.
    for (const auto& name : names_in(dir.path()))
        fs::last_write_time(dir / name, fs::last_write_time(dir / name) - std::chrono::hours(87'600));
    for (int start = 0; start < 3; ++start) {
        report_log reports;
        collector listener;
        auto options = compressing(dir.path());
        options.compress = start == 1;
        options.max_age = std::chrono::hours(24 * 30);
        log opened(options, reports.sink());
        opened.start(listener);
        REQUIRE(eventually([&] { return reports.count("the clock has gone forward by 876") == 1; }));
        opened.submit(numbered_batch(1000, 100, 100));  // written at what the clock says
        REQUIRE(listener.wait_for(100));
        CHECK(opened.stop(5s).unstored_records == 0);
        CHECK(opened.snapshot().oldest_id() == records.begin()->first);
    }
}

}  // namespace livelogd::storage::test
