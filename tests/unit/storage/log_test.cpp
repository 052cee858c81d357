// SPDX-License-Identifier: MIT
// The log as a whole: ids, segments, snapshots, retention.
#include "daemon/storage/log.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

namespace livelogd::storage::test {

namespace {

record_id clock_us() {
    return static_cast<record_id>(std::chrono::duration_cast<std::chrono::microseconds>(
                                      std::chrono::system_clock::now().time_since_epoch())
                                      .count());
}

/// The sizes of all segments, oldest first.
std::vector<std::uint64_t> sizes(const log_snapshot& view) {
    std::vector<std::uint64_t> all;
    for (std::size_t i = 0; i < view.segment_count(); ++i)
        all.push_back(view.segment(i).bytes);
    return all;
}

}  // namespace

TEST_CASE("a fresh log starts at the clock, silently, with an empty segment and its link") {
    const temp_dir dir;
    report_log reports;
    const record_id before = clock_us();
    log opened(options_for(dir / "logs"), reports.sink());
    const auto view = opened.snapshot();
    CHECK(view.next_id >= before);
    CHECK(view.next_id <= clock_us());
    CHECK(view.directory == dir / "logs");
    CHECK(view.sealed->empty());
    CHECK(view.active.first_id == view.next_id);
    CHECK(view.active.bytes == 0);
    CHECK(view.oldest_id() == view.next_id);
    CHECK(fs::read_symlink(dir / "logs/current") == segment_name(view.next_id));
    CHECK(fs::file_size(dir / "logs/current") == 0);
    CHECK(mode_of(dir / "logs/.state") == 0640);
    CHECK_FALSE(opened.recovered().jumped_from);
    CHECK(opened.recovered().torn_bytes == 0);
    CHECK_FALSE(opened.trouble());
    CHECK(reports.all() == "");
}

TEST_CASE("batches get consecutive ids, are told in order and are in the file when they are told") {
    const temp_dir dir;
    report_log reports;
    auto options = options_for(dir.path());
    options.segment_max_bytes = 1 << 20;
    struct checking : collector {
        log* opened = nullptr;
        std::size_t right = 0;
        void on_appended(record_id first_id, const shared_records& batch) override {
            const auto view = opened->snapshot();
            const auto in_file = read_all(view);
            if (view.next_id == first_id + batch->records.size() && in_file.contains(view.next_id - 1))
                ++right;
            collector::on_appended(first_id, batch);
        }
    } listener;
    log opened(options, reports.sink());
    const record_id first = opened.snapshot().next_id;
    listener.opened = &opened;
    opened.start(listener);
    opened.submit(numbered_batch(1, 3));
    opened.submit({});  // nothing is told of nothing
    opened.submit(numbered_batch(4, 1));
    opened.submit(numbered_batch(5, 2));
    REQUIRE(listener.wait_for(6));
    CHECK(opened.stop(1s).unstored_records == 0);
    CHECK(listener.calls() == std::vector<record_id>{first, first + 3, first + 4});
    CHECK(listener.right == 3);
    CHECK(listener.lines() == read_all(opened.snapshot()));
    for (std::uint64_t n = 1; n <= 6; ++n)
        CHECK(listener.lines().at(first + n - 1) == record_of(n));
    CHECK(opened.pending_bytes() == 0);
}

TEST_CASE("a segment is sealed when the next record would take it over the limit, to the byte") {
    struct row {
        const char* why;
        std::uint64_t limit;
        std::vector<std::size_t> records;
        std::vector<std::uint64_t> segments;
    };
    const row rows[] = {
        {"all fit exactly", 100, {50, 50}, {100}},
        {"one byte too many", 100, {50, 51}, {50, 51}},
        {"one byte too many later", 100, {50, 50, 16}, {100, 16}},
        {"larger than the limit, alone", 100, {101}, {101}},
        {"larger than the limit, first", 100, {150, 20}, {150, 20}},
        {"larger than the limit, in the middle", 100, {20, 150, 20, 20}, {20, 150, 40}},
        {"each larger than the limit", 20, {40, 40, 40}, {40, 40, 40}},
        {"a limit of 0: a segment each", 0, {20, 20, 20}, {20, 20, 20}},
        {"several segments", 100, {60, 40, 60, 41, 59, 100, 16}, {100, 60, 100, 100, 16}},
    };
    for (const row& r : rows) {
        for (const bool one_batch : {true, false}) {
            INFO(r.why << (one_batch ? ", in one batch" : ", one by one"));
            const temp_dir dir;
            report_log reports;
            auto options = options_for(dir.path());
            options.segment_max_bytes = r.limit;
            collector listener;
            log opened(options, reports.sink());
            const record_id first = opened.snapshot().next_id;
            opened.start(listener);
            std::vector<std::string> lines;
            for (std::size_t i = 0; i < r.records.size(); ++i)
                lines.push_back(record_of(i, r.records[i]));
            if (one_batch) {
                opened.submit(batch_of(lines));
            } else {
                for (const auto& line : lines)
                    opened.submit(batch_of({line}));
            }
            REQUIRE(listener.wait_for(lines.size()));
            opened.stop(1s);
            const auto view = opened.snapshot();
            CHECK(sizes(view) == r.segments);
            CHECK(listener.calls().size() == (one_batch ? 1u : lines.size()));
            CHECK(listener.calls().front() == first);
            CHECK(read_all(view) == listener.lines());
            CHECK(view.next_id == first + lines.size());
            CHECK(fs::read_symlink(dir / "current") == segment_name(view.active.first_id));
            for (std::size_t i = 0; i < view.segment_count(); ++i) {
                CHECK(fs::file_size(dir / segment_name(view.segment(i).first_id)) == view.segment(i).bytes);
                if (i > 0) CHECK(view.segment(i).first_id == view.id_bound(i - 1));
            }
            CHECK(reports.all() == "");
        }
    }
}

TEST_CASE("one write a batch and segment") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    collector listener;
    log opened(options_for(dir.path()), reports.sink(), fault.ops());
    opened.start(listener);
    opened.submit(numbered_batch(1, 10));  // fills the first segment
    REQUIRE(listener.wait_for(10));
    CHECK(fault.writes == 1);
    opened.submit(numbered_batch(11, 25));  // two segments more, and half of a third
    REQUIRE(listener.wait_for(35));
    CHECK(fault.writes == 4);
}

TEST_CASE("retention removes the oldest segments after a rotation, and what was torn off them") {
    const temp_dir dir;
    report_log reports;
    auto options = options_for(dir.path());
    options.segment_max_bytes = 100;
    options.backup_count = 2;
    collector listener;
    log opened(options, reports.sink());
    opened.start(listener);
    const auto before = opened.snapshot();
    std::size_t n = 0;
    for (; n < 3; ++n)
        opened.submit(batch_of({record_of(n, 100)}));
    REQUIRE(listener.wait_for(3));
    CHECK(opened.snapshot().sealed->size() == 2);  // two sealed, one active: as many as are kept
    opened.submit(batch_of({record_of(n, 100)}));
    REQUIRE(listener.wait_for(4));
    const auto view = opened.snapshot();
    CHECK(view.sealed->size() == 2);
    CHECK(view.oldest_id() == before.oldest_id() + 1);
    CHECK(segment_files(dir.path()).size() == 3);
    CHECK_FALSE(open_segment(before, before.sealed->size()));  // an old snapshot names what is gone
    CHECK(before.sealed->empty());                             // and stays as it was
}

TEST_CASE("torn files go with the segments around them") {
    const temp_dir dir;
    report_log reports;
    for (const record_id id : {10u, 20u, 30u})
        write_file(dir / segment_name(id), record_of(id, 100));
    for (const record_id id : {5u, 10u, 20u})
        write_file(dir / (segment_name(id) + ".torn"), "x");
    auto options = options_for(dir.path());
    options.segment_max_bytes = 100;
    options.backup_count = 3;
    collector listener;
    log opened(options, reports.sink());
    opened.start(listener);
    for (std::size_t n = 0; n < 2; ++n)
        opened.submit(batch_of({record_of(n, 100)}));
    REQUIRE(listener.wait_for(2));
    CHECK(opened.snapshot().oldest_id() == 20);
    CHECK_FALSE(fs::exists(dir / (segment_name(5) + ".torn")));
    CHECK_FALSE(fs::exists(dir / (segment_name(10) + ".torn")));
    CHECK(fs::exists(dir / (segment_name(20) + ".torn")));
}

TEST_CASE("narrower limits take effect at the start and with the next record") {
    const temp_dir dir;
    report_log reports;
    for (const record_id id : {10u, 20u, 30u, 40u, 50u})
        write_file(dir / segment_name(id), record_of(id, 100));
    auto options = options_for(dir.path());
    options.segment_max_bytes = 100;
    options.backup_count = 4;
    collector listener;
    log opened(options, reports.sink());
    CHECK(opened.snapshot().sealed->size() == 5);
    opened.start(listener);
    REQUIRE(eventually([&] { return opened.snapshot().sealed->size() == 4; }));
    CHECK(segment_files(dir.path()).size() == 5);
    opened.set_limits({.segment_max_bytes = 100, .backup_count = 1});
    opened.submit(batch_of({record_of(1, 20)}));
    REQUIRE(listener.wait_for(1));
    CHECK(opened.snapshot().sealed->size() == 1);
    CHECK(opened.snapshot().oldest_id() == 50);
    opened.set_limits({.segment_max_bytes = 30,
                       .backup_count = 100});  // the active segment is over this with the next record
    opened.submit(batch_of({record_of(2, 20)}));
    REQUIRE(listener.wait_for(2));
    CHECK(opened.snapshot().sealed->size() == 2);
}

TEST_CASE(
    "several threads hand over: ids have no gaps, a batch stays together, each thread's order is kept") {
    const temp_dir dir;
    report_log reports;
    auto options = options_for(dir.path());
    options.segment_max_bytes = 20'000;
    collector listener;
    log opened(options, reports.sink());
    const record_id first = opened.snapshot().next_id;
    opened.start(listener);
    constexpr std::uint64_t threads = 4;
    constexpr std::uint64_t batches = 300;
    std::vector<std::thread> senders;
    for (std::uint64_t t = 0; t < threads; ++t) {
        senders.emplace_back([&opened, t] {
            for (std::uint64_t b = 0; b < batches; ++b) {
                opened.submit(numbered_batch(t * 1'000'000 + b * 10, 1 + b % 5));
                if (b % 50 == 0) (void)opened.snapshot();
            }
        });
    }
    for (auto& sender : senders)
        sender.join();
    REQUIRE(listener.wait_for(threads * batches * 3));
    CHECK(opened.stop(5s).unstored_records == 0);
    CHECK(listener.in_order());
    CHECK(listener.calls().size() == threads * batches);
    const auto lines = listener.lines();
    CHECK(lines.begin()->first == first);
    CHECK(lines.rbegin()->first == first + threads * batches * 3 - 1);
    CHECK(read_all(opened.snapshot()) == lines);
    std::vector<std::uint64_t> last(threads, 0);
    for (const auto& [id, line] : lines) {
        const std::uint64_t number = std::stoull(line.substr(5));
        auto& before = last[number / 1'000'000];
        REQUIRE((number % 1'000'000 == 0 || number > before));
        before = number;
    }
}

TEST_CASE("a second log on the directory is refused, and welcome once the first has gone") {
    const temp_dir dir;
    report_log reports;
    {
        const log first(options_for(dir.path()), reports.sink());
        try {
            const log second(options_for(dir.path()), reports.sink());
            FAIL("the directory was shared");
        } catch (const log_error& error) {
            CHECK(error.why() == log_error::kind::taken);
        }
    }
    const log third(options_for(dir.path()), reports.sink());
    CHECK_FALSE(third.recovered().jumped_from);
}

TEST_CASE("a small log is opened quickly") {
    const temp_dir dir;
    report_log reports;
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 5; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        log opened(options_for(dir.path()), reports.sink());
        best = std::min(best, std::chrono::steady_clock::now() - begin);
        opened.stop({});
    }
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(best).count();
    INFO(microseconds << " us");
    CHECK(best < 500ms);  // a few milliseconds, where nothing else wants the disk
}

TEST_CASE("an unusable directory is an error of kind io") {
    const temp_dir dir;
    report_log reports;
    write_file(dir / "file", "");
    try {
        const log opened(options_for(dir / "file"), reports.sink());
        FAIL("a file was taken for a directory");
    } catch (const log_error& error) {
        CHECK(error.why() == log_error::kind::io);
    }
}

TEST_CASE("under always everything told is soon synced, and sealed segments are synced") {
    const temp_dir dir;
    report_log reports;
    faults fault;
    auto options = options_for(dir.path());
    options.sync = sync_policy::always;
    collector listener;
    log opened(options, reports.sink(), fault.ops());
    opened.start(listener);
    opened.submit(numbered_batch(1, 1));
    REQUIRE(eventually([&] { return fault.datasyncs >= 1; }));
    opened.submit(numbered_batch(2, 30));
    REQUIRE(listener.wait_for(31));
    opened.stop(1s);
    CHECK(fault.syncs == static_cast<long>(opened.snapshot().sealed->size()));
    CHECK_FALSE(opened.trouble());
}

}  // namespace livelogd::storage::test
