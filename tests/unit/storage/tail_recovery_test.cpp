// SPDX-License-Identifier: MIT
#include "daemon/storage/tail_recovery.hpp"

#include "protocol/scan.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

using namespace livelogd::storage;
using namespace livelogd::storage::test;

namespace {

constexpr record_id first = 77;

struct outcome {
    recovered_tail tail;
    std::string kept;  ///< the segment afterwards
    std::string torn;  ///< what its .torn file holds; empty without one
};

outcome recover(const temp_dir& dir) {
    const livelogd::base::unique_fd fd(
        ::open((dir / segment_name(first)).c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
    livelogd::protocol::record_scanner scanner;
    livelogd::protocol::record_fields fields;
    outcome result;
    result.tail = recover_tail(dir.path(), first, fd.get(), [&](std::string_view line) {
        return !scanner.scan_record(line, fields).has_value();
    });
    result.kept = read_file(dir / segment_name(first));
    const auto torn = dir / (segment_name(first) + ".torn");
    if (fs::is_regular_file(torn)) result.torn = read_file(torn);
    return result;
}

const std::string zeros(700, '\0');

}  // namespace

TEST_CASE("the newest segment is cut back to its last record, and what was cut is kept") {
    struct row {
        const char* why;
        std::string kept;
        std::string cut;
        std::size_t records;
        bool lines_dropped;
    };
    const std::string good = "{\"a\":1}\n{\"b\":2}\n{\"c\":\"\\u0000\"}\n";
    const row rows[] = {
        {"nothing to do", good, "", 3, false},
        {"an empty file", "", "", 0, false},
        {"half a line", good, "{\"d\":", 3, false},
        {"a whole record but for its LF", good, "{\"d\":4}", 3, false},
        {"zeros", good, zeros, 3, false},
        {"half a line, then zeros", good, "{\"d\":" + zeros, 3, false},
        {"zeros with an LF", good, zeros + "\n", 3, true},
        {"zeros, a record, LF: one broken line", good, zeros + "{\"d\":4}\n", 3, true},
        {"rubbish with an LF", good, "rubbish\n", 3, true},
        {"several lines of rubbish, then half a one", good, "x\n\n[1]\n{\"d\":}\n{\"e", 3, true},
        {"JSON that is no object", good, "17\n", 3, true},
        {"an empty line", good, "\n", 3, true},
        {"no LF at all", "", "{\"a\":1}", 0, false},
        {"only zeros", "", zeros, 0, false},
        {"only rubbish", "", "a\nb\nc\n", 0, true},
        {"a broken line in the middle stays", "{\"a\":1}\nrubbish\n" + zeros + "\n{\"b\":2}\n", "{\"half", 4,
         false},
        {"one record", "{}\n", "", 1, false},
    };
    for (const row& r : rows) {
        INFO(r.why);
        const temp_dir dir;
        write_file(dir / segment_name(first), r.kept + r.cut);
        const outcome got = recover(dir);
        CHECK(got.kept == r.kept);
        CHECK(got.torn == r.cut);
        CHECK(got.tail.bytes == r.kept.size());
        CHECK(got.tail.records == r.records);
        CHECK(got.tail.torn_bytes == r.cut.size());
        CHECK(got.tail.lines_dropped == r.lines_dropped);
        CHECK(got.tail.failure.empty());
        CHECK(got.tail.torn_file.empty() == r.cut.empty());
        CHECK(fs::exists(dir / (segment_name(first) + ".torn")) == !r.cut.empty());
    }
}

TEST_CASE("a record torn at any byte leaves the records before it") {
    const temp_dir dir;
    const std::string good = record_of(1) + record_of(2);
    const std::string last = record_of(3);
    for (std::size_t cut = 0; cut < last.size(); ++cut) {
        INFO("after " << cut << " bytes");
        fs::remove(dir / (segment_name(first) + ".torn"));
        write_file(dir / segment_name(first), good + last.substr(0, cut));
        const outcome got = recover(dir);
        CHECK(got.kept == good);
        CHECK(got.torn == last.substr(0, cut));
        CHECK(got.tail.records == 2);
    }
}

TEST_CASE("what is cut later is added to what was cut before") {
    const temp_dir dir;
    write_file(dir / segment_name(first), "{}\nhalf");
    recover(dir);
    write_file(dir / segment_name(first), "{}\n{}\nother");
    CHECK(recover(dir).torn == "halfother");
    CHECK(mode_of(dir / (segment_name(first) + ".torn")) == 0640);
    CHECK(recover(dir).tail.torn_bytes == 0);
}

TEST_CASE("a large segment with a long bad tail is recovered in one go") {
    const temp_dir dir;
    std::string good;
    for (std::uint64_t i = 0; i < 20'000; ++i)
        good += record_of(i, 300);
    std::string bad;
    for (int i = 0; i < 200'000; ++i)
        bad += "nonsense\n";
    bad += std::string(3'000'000, '\0');
    write_file(dir / segment_name(first), good + bad);
    const auto begin = std::chrono::steady_clock::now();
    const outcome got = recover(dir);
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK((got.kept == good));
    CHECK((got.torn == bad));
    CHECK(got.tail.records == 20'000);
    CHECK(took < 10s);  // a quadratic way would take minutes
}

TEST_CASE("a last record longer than all blocks is recognised") {
    const temp_dir dir;
    const std::string good = record_of(1) + record_of(2, 5'000'000);
    write_file(dir / segment_name(first), good + "tail");
    const outcome got = recover(dir);
    CHECK((got.kept == good));
    CHECK(got.tail.records == 2);
}

TEST_CASE("a tail that cannot be kept aside stays where it is") {
    const temp_dir dir;
    const std::string text = "{}\nhalf";
    write_file(dir / segment_name(first), text);
    fs::create_directory(dir / (segment_name(first) + ".torn"));  // in the way, also for root
    const outcome got = recover(dir);
    CHECK(got.kept == text);
    CHECK(got.tail.bytes == 3);
    CHECK(got.tail.records == 1);
    CHECK(got.tail.torn_bytes == 4);
    CHECK(got.tail.failure.find("Is a directory") != std::string::npos);
    CHECK(got.tail.torn_file.empty());
}
