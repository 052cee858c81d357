// SPDX-License-Identifier: MIT
// Which ids a log goes on with after every kind of end, with real directories.
#include "daemon/storage/log.hpp"
#include "daemon/storage/log_state.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace livelogd::storage::test {

namespace {

/// A log that was stopped cleanly with `records` records. Returns the id that comes next.
record_id make_log(const fs::path& directory, std::size_t records) {
    report_log reports;
    collector listener;
    log opened(options_for(directory), reports.sink());
    opened.start(listener);
    if (records > 0) {
        opened.submit(numbered_batch(0, records));
        if (!listener.wait_for(records)) throw std::runtime_error("the log does not store");
    }
    opened.stop(1s);
    return opened.snapshot().next_id;
}

/// Rewrites the state as if the log had ended in another way.
void edit_state(const fs::path& directory, const std::function<void(log_state&)>& edit) {
    state_file file(directory);
    auto state = file.load();
    if (!state) throw std::runtime_error("no state");
    edit(*state);
    if (file.save(*state, state_file::durability::process)) throw std::runtime_error("cannot save the state");
}

struct reopened {
    record_id next_id;
    recovery recovered;
    std::size_t segments;
    std::string reports;
};

reopened reopen(const fs::path& directory) {
    report_log reports;
    log opened(options_for(directory), reports.sink());
    const auto view = opened.snapshot();
    return {view.next_id, opened.recovered(), view.segment_count(), reports.all()};
}

void expect_went_on(const reopened& now, record_id next) {
    CHECK(now.next_id == next);
    CHECK_FALSE(now.recovered.jumped_from);
}

void expect_jumped(const reopened& now, record_id from) {
    CHECK(now.next_id > from);
    REQUIRE(now.recovered.jumped_from);
    CHECK(*now.recovered.jumped_from == from);
    CHECK(now.reports.find("ids go on at " + std::to_string(now.next_id)) != std::string::npos);
}

}  // namespace

TEST_CASE("ids after every kind of end") {
    const temp_dir dir;
    const record_id next = make_log(dir.path(), 5);
    const auto segment = dir / segment_files(dir.path()).back();
    const auto append = [&segment](std::string_view bytes) {
        write_file(segment, read_file(segment) + std::string(bytes));
    };
    const auto killed = [](log_state& state) {
        state.clean = false;
        state.next_id -= 5;
    };

    SECTION("clean stop") {
        const auto now = reopen(dir.path());
        expect_went_on(now, next);
        CHECK(now.segments == 1);
        CHECK(now.reports.empty());
    }
    SECTION("clean stop, then another boot") {
        edit_state(dir.path(), [](log_state& s) { s.boot_id = "other"; });
        expect_went_on(reopen(dir.path()), next);
    }
    SECTION("killed, same boot") {
        edit_state(dir.path(), killed);
        const auto now = reopen(dir.path());
        expect_went_on(now, next);
        CHECK(now.reports.empty());
    }
    SECTION("killed in the middle of a write, same boot: what was torn was never told") {
        edit_state(dir.path(), killed);
        append("{\"half\":");
        const auto now = reopen(dir.path());
        expect_went_on(now, next);
        CHECK(now.recovered.torn_bytes == 8);
        CHECK(now.recovered.torn_file == segment.string() + ".torn");
        CHECK(read_file(now.recovered.torn_file) == "{\"half\":");
        CHECK(now.reports.find("8 bytes") != std::string::npos);
    }
    SECTION("killed, other boot") {
        edit_state(dir.path(), [&](log_state& s) {
            killed(s);
            s.boot_id = "other";
        });
        const auto now = reopen(dir.path());
        expect_jumped(now, next);
        CHECK(now.segments == 2);
    }
    SECTION("power cut with zeros at the end") {
        edit_state(dir.path(), [&](log_state& s) {
            killed(s);
            s.boot_id = "other";
        });
        append(std::string(500, '\0'));
        const auto now = reopen(dir.path());
        expect_jumped(now, next);
        CHECK(now.recovered.torn_bytes == 500);
    }
    SECTION("storing had failed") {
        edit_state(dir.path(), [&](log_state& s) {
            killed(s);
            s.storing_failed = true;
        });
        expect_jumped(reopen(dir.path()), next);
    }
    SECTION("a complete line was no record") {
        append("rubbish\n");
        const auto now = reopen(dir.path());
        expect_jumped(now, next);
        CHECK(now.recovered.torn_bytes == 8);
    }
    SECTION("missing state") {
        fs::remove(dir / ".state");
        expect_jumped(reopen(dir.path()), next);
    }
    SECTION("unreadable state") {
        write_file(dir / ".state", "{");
        expect_jumped(reopen(dir.path()), next);
    }
    SECTION("lines added from outside") {
        append("{}\n");
        expect_jumped(reopen(dir.path()), next + 1);
    }
    SECTION("the last record removed from outside") {
        fs::resize_file(segment, fs::file_size(segment) - 40);
        const auto now = reopen(dir.path());
        expect_jumped(now, next - 1);
        CHECK(now.next_id > next);
    }
    SECTION("a state that is ahead of files and clock") {
        const record_id ahead = next + 1'000'000'000'000;
        edit_state(dir.path(), [&](log_state& s) { s.next_id = ahead; });
        const auto now = reopen(dir.path());
        expect_jumped(now, next);
        CHECK(now.next_id == ahead);
    }
    SECTION("segments removed, state kept: no id comes back") {
        fs::remove(segment);
        const auto now = reopen(dir.path());
        CHECK(now.next_id > next);
        CHECK(now.segments == 1);
        CHECK(now.reports.empty());
    }
    SECTION("segments removed, a state ahead of the clock") {
        const record_id ahead = next + 1'000'000'000'000;
        edit_state(dir.path(), [&](log_state& s) { s.next_id = ahead; });
        fs::remove(segment);
        CHECK(reopen(dir.path()).next_id == ahead);
    }
    SECTION("directory emptied") {
        for (const auto& entry : fs::directory_iterator(dir.path()))
            fs::remove(entry.path());
        const auto now = reopen(dir.path());
        CHECK(now.next_id > next);
        CHECK_FALSE(now.recovered.jumped_from);
    }
    // Whatever happened, the start after it goes on where this one ended.
    const record_id ended = reopen(dir.path()).next_id;
    expect_went_on(reopen(dir.path()), ended);
}

TEST_CASE("an empty segment goes on after a clean stop and is removed when ids jump") {
    const temp_dir dir;
    const record_id next = make_log(dir.path(), 0);
    REQUIRE(segment_files(dir.path()) == std::vector<std::string>{segment_name(next)});
    expect_went_on(reopen(dir.path()), next);
    edit_state(dir.path(), [](log_state& s) {
        s.clean = false;
        s.boot_id = "other";
    });
    const auto now = reopen(dir.path());
    expect_jumped(now, next);
    CHECK(now.segments == 1);
    CHECK(segment_files(dir.path()) == std::vector<std::string>{segment_name(now.next_id)});
}

TEST_CASE("a segment of nothing but rubbish is emptied and removed, its bytes are kept") {
    const temp_dir dir;
    write_file(dir / segment_name(50), std::string(100, '\0'));
    const auto now = reopen(dir.path());
    expect_jumped(now, 50);
    CHECK(now.segments == 1);
    CHECK(segment_files(dir.path()).size() == 1);
    CHECK(read_file(dir / (segment_name(50) + ".torn")) == std::string(100, '\0'));
}

TEST_CASE("a tail that cannot be moved away makes ids jump into a new segment") {
    const temp_dir dir;
    const record_id next = make_log(dir.path(), 5);
    const auto segment = dir / segment_files(dir.path()).back();
    write_file(segment, read_file(segment) + "{\"half");
    fs::create_directory(segment.string() + ".torn");
    const auto now = reopen(dir.path());
    expect_jumped(now, next);
    CHECK(now.segments == 2);
    CHECK(now.reports.find("they stay there") != std::string::npos);
    CHECK(now.recovered.torn_file.empty());

    SECTION("also where there is nothing else in the file, which is kept then") {
        fs::remove_all(dir / ".state");
        for (const auto& name : segment_files(dir.path()))
            fs::remove(dir / name);
        write_file(segment, "{\"half");
        const auto again = reopen(dir.path());
        CHECK(again.segments == 1);
        CHECK(read_file(segment) == "{\"half");
    }
}

TEST_CASE("what a killed run left unsynced is synced by the next one, also if that stores nothing") {
    const temp_dir dir;
    make_log(dir.path(), 5);
    const auto syncs = [&dir] {
        report_log reports;
        faults fault;
        {
            const log opened(options_for(dir.path()), reports.sink(), fault.ops());
        }
        return std::pair(fault.datasyncs.load(), fault.syncs.load());
    };
    CHECK(syncs() == std::pair(0L, 0L));
    edit_state(dir.path(), [](log_state& s) { s.clean = false; });
    CHECK(syncs() == std::pair(1L, 0L));  // it goes on
    edit_state(dir.path(), [](log_state& s) {
        s.clean = false;
        s.boot_id = "other";
    });
    CHECK(syncs() == std::pair(0L, 1L));  // it is sealed
}

TEST_CASE("of old segments only the end is looked at, and only after a power cut") {
    const temp_dir dir;
    const std::string broken_within = "not a record at all\n\n\n" + record_of(1);
    const std::string torn = record_of(2) + std::string(100, '\0');
    write_file(dir / segment_name(10), broken_within);
    write_file(dir / segment_name(20), "");  // left by a power cut: holds nothing, counts for nothing
    write_file(dir / segment_name(30), torn);
    write_file(dir / segment_name(40), record_of(3) + record_of(4));

    SECTION("a power cut, as far as anybody knows") {
        const auto now = reopen(dir.path());
        expect_jumped(now, 42);
        CHECK(now.recovered.torn_bytes == 100);
        CHECK(now.segments == 4);
        CHECK(read_file(dir / segment_name(30)) == record_of(2));
        CHECK(read_file(dir / (segment_name(30) + ".torn")) == std::string(100, '\0'));
    }
    SECTION("the daemon was killed, the system ran on") {
        const log_state killed{current_boot_id(), false, 40, 40, false, {}};
        REQUIRE_FALSE(state_file(dir.path()).save(killed, state_file::durability::process));
        const auto now = reopen(dir.path());
        CHECK(now.recovered.torn_bytes == 0);
        CHECK(read_file(dir / segment_name(30)) == torn);
    }
    CHECK(read_file(dir / segment_name(10)) == broken_within);
    CHECK_FALSE(fs::exists(dir / segment_name(20)));
}

TEST_CASE("a cut that a killed daemon had begun is finished, if what it was for is there") {
    const temp_dir dir;
    write_file(dir / segment_name(10), record_of(10) + record_of(11) + record_of(12));
    const log_state killed{current_boot_id(), false, 13, 10, false, log_state::cut{10, 80, 12}};
    REQUIRE_FALSE(state_file(dir.path()).save(killed, state_file::durability::process));
    SECTION("it is there") {
        write_file(dir / segment_name(12), record_of(12));
        const auto now = reopen(dir.path());
        CHECK(now.next_id == 13);
        CHECK(read_file(dir / segment_name(10)) == record_of(10) + record_of(11));
    }
    SECTION("the daemon died before") {
        write_file(dir / (segment_name(12) + ".new"), "{\"half");
        const auto now = reopen(dir.path());
        CHECK(now.next_id == 13);
        CHECK(read_file(dir / segment_name(10)) == record_of(10) + record_of(11) + record_of(12));
        CHECK_FALSE(fs::exists(dir / (segment_name(12) + ".new")));
    }
}

TEST_CASE("ids that are used up are refused") {
    const temp_dir dir;
    write_file(dir / segment_name(protocol::max_record_id), "{}\n");
    CHECK_THROWS_AS(reopen(dir.path()), log_error);
}

TEST_CASE("a newest segment that is open for nobody is an error of kind io") {
    const temp_dir dir;
    if (::geteuid() == 0) {
        // Root may open everything: a child that is somebody else tries.
        make_log(dir / "logs", 3);
        fs::permissions(dir / ("logs/" + segment_files(dir / "logs").back()), fs::perms::none);
        fs::permissions(dir.path(), fs::perms::all);
        for (const char* name : {"logs", "logs/.lock", "logs/.state"})
            fs::permissions(dir / name, fs::perms::all);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(2);
            try {
                reopen(dir / "logs");
            } catch (const log_error& error) {
                ::_exit(error.why() == log_error::kind::io
                                && std::string(error.what()).find("Permission denied") != std::string::npos
                            ? 0
                            : 1);
            }
            ::_exit(3);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    } else {
        make_log(dir / "logs", 3);
        fs::permissions(dir / ("logs/" + segment_files(dir / "logs").back()), fs::perms::none);
        CHECK_THROWS_AS(reopen(dir / "logs"), log_error);
    }
}

TEST_CASE("a log that is killed while it stores goes on, and holds everything it has told") {
    // The child tells over a pipe what its listener is told; the parent kills it and looks.
    struct told {
        record_id first_id;
        std::uint64_t number;
        std::uint64_t records;
    };
    const temp_dir dir;
    std::map<record_id, std::string> expected;
    record_id last_next = 0;
    for (int round = 0; round < 12; ++round) {
        INFO("round " << round);
        int pipe_fds[2];
        REQUIRE(::pipe(pipe_fds) == 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            struct telling : log_listener {
                int fd = -1;
                void on_appended(record_id first_id, const shared_records& batch) override {
                    const told message{first_id, std::stoull(batch->lines.substr(5)), batch->records.size()};
                    if (::write(fd, &message, sizeof message) != sizeof message) ::_exit(4);
                }
            } listener;
            listener.fd = pipe_fds[1];
            report_log reports;
            auto options = options_for(dir.path());
            options.segment_max_bytes = 4000;
            options.sync = sync_policy::interval;
            log opened(options, reports.sink());
            opened.start(listener);
            for (std::uint64_t n = static_cast<std::uint64_t>(round) * 10'000'000;; n += 10) {
                opened.submit(numbered_batch(n, 1 + n / 10 % 9, 60));
                while (opened.pending_bytes() > 2000)
                    std::this_thread::yield();
            }
        }
        ::close(pipe_fds[1]);
        const std::size_t enough = 20 + static_cast<std::size_t>(round) * 7;
        told message{};
        for (std::size_t n = 0; ::read(pipe_fds[0], &message, sizeof message) == sizeof message; ++n) {
            for (std::uint64_t i = 0; i < message.records; ++i) {
                CHECK(expected.emplace(message.first_id + i, record_of(message.number + i, 60)).second);
            }
            if (n == enough) ::kill(child, SIGKILL);
        }
        ::close(pipe_fds[0]);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));

        report_log reports;
        auto options = options_for(dir.path());
        const log opened(options, reports.sink());
        CHECK_FALSE(opened.recovered().jumped_from);
        const auto view = opened.snapshot();
        CHECK(view.next_id > last_next);
        last_next = view.next_id;
        const auto stored = read_all(view);
        for (const auto& [id, line] : expected) {
            const auto found = stored.find(id);
            REQUIRE(found != stored.end());
            REQUIRE(found->second == line);
        }
        // What was stored but not yet told when the kill came keeps its id from now on.
        expected = stored;
    }
}

}  // namespace livelogd::storage::test
