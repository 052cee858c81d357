// SPDX-License-Identifier: MIT
#include "daemon/storage/log_directory.hpp"

#include "daemon/storage/log_options.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <optional>

#include <csignal>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace livelogd::storage;
using namespace livelogd::storage::test;

namespace {

/// What opening `directory` fails with; no error if it works.
std::optional<log_error> failure_of(const fs::path& directory) {
    report_log reports;
    try {
        const log_directory opened(directory, reports.sink());
    } catch (const log_error& error) {
        return error;
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("a directory is made with those above it, for the daemon and its group") {
    const temp_dir dir;
    report_log reports;
    const ::mode_t before = ::umask(022);
    const log_directory made(dir / "a/b/c/", reports.sink());
    ::umask(before);
    CHECK(made.path() == dir / "a/b/c");
    for (const char* name : {"a", "a/b", "a/b/c"})
        CHECK(mode_of(dir / name) == 0750);
    CHECK(mode_of(dir / "a/b/c/.lock") == 0640);
    CHECK(read_file(dir / "a/b/c/.lock") == std::to_string(::getpid()) + "\n");
    CHECK(reports.size() == 0);
}

TEST_CASE("the path of a directory does not depend on the working directory") {
    const temp_dir dir;
    const fs::path before = fs::current_path();
    fs::current_path(dir.path());
    report_log reports;
    const log_directory made("./logs", reports.sink());
    fs::current_path(before);
    CHECK(made.path().is_absolute());
    CHECK(made.path().filename() == "logs");
    made.sync();
    CHECK(made.list().segments.empty());
}

TEST_CASE("one process a directory: the second is told who has it") {
    const temp_dir dir;
    int ready[2];
    int leave[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(leave) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        report_log reports;
        const log_directory mine(dir.path(), reports.sink());
        char byte = 1;
        const bool told = ::write(ready[1], &byte, 1) == 1;
        ::_exit(told && ::read(leave[0], &byte, 1) == 1 ? 0 : 1);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    const auto failure = failure_of(dir.path());
    REQUIRE(failure);
    CHECK(failure->why() == log_error::kind::taken);
    const std::string text = failure->what();
    CHECK(text.find("process " + std::to_string(child)) != std::string::npos);
    CHECK(text.find(dir.path().string()) != std::string::npos);

    SECTION("it is free again after a regular end") {
        REQUIRE(::write(leave[1], &byte, 1) == 1);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    SECTION("it is free again after a kill") {
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
    }
    CHECK_FALSE(failure_of(dir.path()));
    for (const int fd : {ready[0], ready[1], leave[0], leave[1]})
        ::close(fd);
}

TEST_CASE("what cannot be a log directory is refused with path and reason") {
    const temp_dir dir;
    write_file(dir / "file", "");
    fs::create_directories(dir / "locked/.lock");
    for (const auto& [path, reason] : std::vector<std::pair<fs::path, std::string>>{
             {dir / "file", "Not a directory"},
             {dir / "file/below", "Not a directory"},
             {dir / "locked", "Is a directory"},
             {fs::path("/proc/nowhere/logs"), "No such file or directory"},
             {dir / std::string(300, 'x'), "File name too long"},
         }) {
        INFO(path);
        const auto failure = failure_of(path);
        REQUIRE(failure);
        CHECK(failure->why() == log_error::kind::io);
        const std::string text = failure->what();
        CHECK(text.find(path.string()) != std::string::npos);
        CHECK(text.find(reason) != std::string::npos);
        CHECK(text.find("log_dir") != std::string::npos);
    }
    CHECK(failure_of("")->why() == log_error::kind::io);
}

TEST_CASE("a directory that may not be written is refused") {
    const temp_dir dir;
    fs::create_directory(dir / "closed");
    fs::permissions(dir / "closed", fs::perms::owner_read | fs::perms::owner_exec);
    // Root may write everywhere: the attempt is made by a child that is somebody else.
    fs::permissions(dir.path(), fs::perms::owner_all | fs::perms::others_exec | fs::perms::others_read);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(2);
        fs::path closed = dir / "closed";
        const auto failure = failure_of(closed);
        const bool right = failure && failure->why() == log_error::kind::io
                           && std::string(failure->what()).find("Permission denied") != std::string::npos;
        ::_exit(right ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("segments and torn files are listed in order, everything else is ignored") {
    const temp_dir dir;
    report_log reports;
    const log_directory directory(dir.path(), reports.sink());
    write_file(dir / segment_name(30), "{}\n");
    write_file(dir / segment_name(4), "{}\n{}\n");
    write_file(dir / segment_name(100), "");
    write_file(dir / (segment_name(30) + ".torn"), "x");
    write_file(dir / (segment_name(2) + ".torn"), "x");
    write_file(dir / "live-5.jsonl", "{}\n");
    write_file(dir / "notes.txt", "x");
    write_file(dir / "x.torn", "x");
    fs::create_symlink(segment_name(100), dir / "current");
    fs::create_directory(dir / segment_name(200));

    const auto found = directory.list();
    REQUIRE(found.segments.size() == 3);
    CHECK(found.segments[0].first_id == 4);
    CHECK(found.segments[0].bytes == 6);
    CHECK(found.segments[1].first_id == 30);
    CHECK(found.segments[2].first_id == 100);
    CHECK(found.segments[2].bytes == 0);
    CHECK(found.torn == std::vector<record_id>{2, 30});
    CHECK(reports.count(segment_name(200) + " is not a regular file") == 1);
    CHECK(reports.size() == 1);
}

TEST_CASE("current points to what it is told to, whatever link was there") {
    const temp_dir dir;
    report_log reports;
    log_directory directory(dir.path(), reports.sink());
    directory.point_current_at(1);
    CHECK(fs::read_symlink(dir / "current") == segment_name(1));
    directory.point_current_at(2);
    CHECK(fs::read_symlink(dir / "current") == segment_name(2));
    directory.point_current_at(2);
    CHECK(fs::read_symlink(dir / "current") == segment_name(2));
    fs::remove(dir / "current");
    fs::create_symlink("/nonexistent/elsewhere", dir / "current");
    fs::create_symlink("left by a killed daemon", dir / ".current.new");
    directory.point_current_at(3);
    CHECK(fs::read_symlink(dir / "current") == segment_name(3));
    CHECK_FALSE(fs::is_symlink(dir / ".current.new"));
    CHECK(reports.size() == 0);
}

TEST_CASE("a file or folder called current is never replaced, which is told once") {
    const temp_dir dir;
    report_log reports;
    log_directory directory(dir.path(), reports.sink());
    SECTION("file") {
        write_file(dir / "current", "precious");
    }
    SECTION("folder") {
        fs::create_directory(dir / "current");
    }
    const bool file = fs::is_regular_file(dir / "current");
    directory.point_current_at(1);
    directory.point_current_at(2);
    CHECK_FALSE(fs::is_symlink(dir / "current"));
    if (file) CHECK(read_file(dir / "current") == "precious");
    CHECK(reports.count("current") == 1);
    CHECK(reports.size() == 1);
}
