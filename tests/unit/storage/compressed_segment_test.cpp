// SPDX-License-Identifier: MIT
// What has been compressed reads as the plain file did, whole, damaged, and not at all.
#include "daemon/storage/compressed_segment.hpp"

#include "daemon/storage/line_ends.hpp"
#include "daemon/storage/segment_compression.hpp"
#include "daemon/storage/zstd_frames.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <random>
#include <ranges>

namespace livelogd::storage::test {
namespace {

constexpr record_id first_id = 1000;

/// Records of all sizes, some of them longer than a frame: about 3 MiB.
std::string mixed_lines(unsigned seed) {
    std::mt19937 random(seed);
    std::string text;
    for (std::uint64_t n = 0; text.size() < (3u << 20); ++n) {
        const auto dice = random() % 400;
        text += record_of(n, dice == 0  ? 900'000
                             : dice < 4 ? 100'000 + random() % 200'000
                                        : 30 + random() % 3000);
    }
    return text;
}

/// A folder with one segment, plain and compressed.
struct sample {
    explicit sample(const std::string& lines) : text(lines) {
        write_file(plain, text);
        const std::atomic<bool> cancel{false};
        const file_ops ops;
        made = compress_segment({dir.path(), first_id, text.size()}, ops, cancel);
        INFO(made.why);
        REQUIRE(made.what == compression_result::end::made);
        fs::rename(made.file, compressed);
    }
    [[nodiscard]] std::unique_ptr<const compressed_segment> open() {
        return compressed_segment::open(open_for_reading(compressed), compressed, first_id, cache);
    }
    void damage(std::uint64_t at) {
        std::string bytes = read_file(compressed);
        bytes.at(at) = static_cast<char>(bytes[at] ^ 0x20);
        write_file(compressed, bytes);
    }

    temp_dir dir;
    std::string text;
    fs::path plain = dir / segment_name(first_id);
    fs::path compressed = dir / compressed_name(first_id);
    compression_result made;
    report_log reports;
    std::shared_ptr<frame_cache> cache = std::make_shared<frame_cache>(reports.sink());
};

std::string read_whole(const segment_source& from, std::size_t size) {
    std::string bytes(size, '?');
    bytes.resize(from.read(bytes.data(), size, 0));
    return bytes;
}

}  // namespace

TEST_CASE("a compressed segment has the bytes, the lines and the identity of the plain one") {
    sample s(mixed_lines(1));
    const auto plain_fd = open_for_reading(s.plain);
    const segment_source plain(plain_fd.get());
    const auto opened = s.open();
    REQUIRE(opened);
    const segment_source packed(*opened);
    CHECK(packed.identity() == plain.identity());
    CHECK(fs::last_write_time(s.compressed) == fs::last_write_time(s.plain));
    CHECK(mode_of(s.compressed) == 0640);
    CHECK(fs::file_size(s.compressed) == s.made.compressed_bytes);
    CHECK(fs::file_size(s.compressed) < s.text.size() / 2);
    CHECK(read_whole(packed, s.text.size() + 10) == s.text);
    for (const auto& frame : opened->table().frames)
        CHECK(frame.size <= most_frame_bytes);

    std::mt19937 random(2);
    std::string one(600'000, '\0');
    std::string other(600'000, '\0');
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t offset = random() % (s.text.size() + 100);
        const std::size_t size = random() % (i % 10 == 0 ? 600'000 : 5000);
        const auto got = plain.read(one.data(), size, offset);
        REQUIRE(packed.read(other.data(), size, offset) == got);
        REQUIRE(one.compare(0, got, other, 0, got) == 0);
    }
    const auto lines = static_cast<std::uint64_t>(std::count(s.text.begin(), s.text.end(), '\n'));
    CHECK(packed.lines() == lines);
    for (std::uint64_t n = 0; n <= lines + 2; ++n) {
        REQUIRE(offset_of_line(packed, 0, s.text.size(), n) == offset_of_line(plain, 0, s.text.size(), n));
    }
    CHECK(s.reports.size() == 0);
    CHECK(s.cache->bytes() <= frame_cache::default_bytes);
}

TEST_CASE("readers in both directions go through compressed segments") {
    sample s(mixed_lines(3));
    const auto opened = s.open();
    std::string forward;
    forward_reader lines(*opened, 0, s.text.size());
    for (stored_line line; lines.next(line);)
        forward.append(line.bytes) += '\n';
    CHECK(forward == s.text);
    std::vector<std::string> found;
    backward_reader back(*opened, 0, s.text.size());
    for (stored_line line; back.previous(line);)
        found.emplace_back(std::string(line.bytes) + "\n");
    std::string backward;
    for (const std::string& line : found | std::views::reverse)
        backward += line;
    CHECK(backward == s.text);
}

TEST_CASE("a damaged frame costs its own records, and no others their ids") {
    std::string text;
    for (std::uint64_t n = 0; n < 5000; ++n)
        text += record_of(n, 300);
    sample s(text);
    const auto table = s.open()->table();
    REQUIRE(table.frames.size() > 3);
    const auto& hit = table.frames[2];
    s.damage(hit.place + hit.compressed / 2);
    s.cache = std::make_shared<frame_cache>(s.reports.sink());
    const auto opened = s.open();
    REQUIRE(opened);
    for (int again = 0; again < 2; ++again) {
        forward_reader lines(*opened, 0, s.text.size());
        std::uint64_t n = 0;
        for (stored_line line; lines.next(line); ++n) {
            const bool lost = n >= hit.first_line && n < hit.first_line + hit.line_ends;
            REQUIRE((std::string(line.bytes) + "\n" == record_of(n, 300)) != lost);
            if (lost) REQUIRE(line.bytes.find('{') == std::string_view::npos);
        }
        CHECK(n == 5000);
        CHECK_FALSE(lines.met_early_end());
    }
    INFO(s.reports.all());
    CHECK(s.reports.size() == 1);
    CHECK(s.reports.count("the records " + std::to_string(first_id + hit.first_line) + " to "
                          + std::to_string(first_id + hit.first_line + hit.line_ends - 1))
          == 1);
}

TEST_CASE("no byte of a damaged record that is longer than a frame passes for a record") {
    std::string text = record_of(1, 50);
    text += record_of(2, 900'000);
    text += record_of(3, 50);
    sample s(text);
    const auto table = s.open()->table();
    for (const auto& hit : table.frames) {
        const std::string whole = read_file(s.compressed);
        s.damage(hit.place + hit.compressed / 2);
        s.cache = std::make_shared<frame_cache>();
        const auto opened = s.open();
        REQUIRE(opened);
        const std::string read = read_whole(*opened, text.size());
        CHECK(read.size() == text.size());
        CHECK(std::count(read.begin(), read.end(), '\n') == 3);
        // Records that the frame has a part of are none any more, where they end is not known.
        const bool first_only = hit.begin + hit.size <= 50;
        CHECK((read.find(text.substr(50, 900'000)) == std::string::npos) == !first_only);
        CHECK((read.find(text.substr(0, 50)) == std::string::npos) == (hit.begin < 50));
        write_file(s.compressed, whole);
    }
}

TEST_CASE("a compressed segment without its table is told as damaged, wherever it is cut or changed") {
    sample s(mixed_lines(4));
    const std::string whole = read_file(s.compressed);
    const auto end = s.open()->table().end_place();
    const auto is_refused = [&](const std::string& bytes) {
        write_file(s.compressed, bytes);
        s.cache = std::make_shared<frame_cache>(s.reports.sink());
        const auto before = s.reports.size();
        return s.open() == nullptr && s.reports.size() == before + 1;
    };
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{8}, std::size_t{100},
                                   whole.size() / 2, whole.size() - 9, whole.size() - 1}) {
        INFO(size);
        CHECK(is_refused(whole.substr(0, size)));
    }
    for (std::size_t at = end; at < whole.size(); ++at) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        INFO(at - end);
        CHECK(is_refused(changed));
    }
    CHECK(is_refused(whole + "x"));
    CHECK(is_refused("x" + whole));
    frame_compressor other_program;
    CHECK(is_refused(std::string(other_program.compress(s.text.substr(0, 1000)))));
    // The file of another segment, renamed.
    write_file(s.compressed, whole);
    CHECK(compressed_segment::open(open_for_reading(s.compressed), s.compressed, first_id + 1, s.cache)
          == nullptr);
}

TEST_CASE("what cannot be compressed leaves nothing behind, and the original as it was") {
    const temp_dir dir;
    const std::string text = mixed_lines(5);
    const auto plain = dir / segment_name(first_id);
    write_file(plain, text);
    const compression_job job{dir.path(), first_id, text.size()};
    using end = compression_result::end;
    const auto attempt = [&](const compression_job& what, faults& f, bool cancelled = false) {
        const std::atomic<bool> cancel{cancelled};
        const auto ops = f.ops();
        const auto result = compress_segment(what, ops, cancel);
        std::size_t files = 0;
        for ([[maybe_unused]] const auto& entry : fs::directory_iterator(dir.path()))
            ++files;
        CHECK(files == 1);
        CHECK(read_file(plain) == text);
        return result;
    };
    faults none;
    CHECK(attempt(job, none, true).what == end::cancelled);
    CHECK(attempt({dir.path(), first_id, text.size() - 1}, none).what == end::unfit);
    CHECK(attempt({dir.path(), first_id, text.size() + 1}, none).what == end::unfit);
    CHECK(attempt({dir.path(), first_id + 1, text.size()}, none).what == end::unfit);
    faults full;
    full.write = {.from = 3, .error = ENOSPC};
    const auto failed = attempt(job, full);
    CHECK(failed.what == end::failed);
    CHECK(failed.why.find("No space left") != std::string::npos);
    faults unsynced;
    unsynced.sync = {.from = 1, .error = EIO};
    CHECK(attempt(job, unsynced).what == end::failed);
    faults closed;
    closed.open = {.from = 1, .error = EMFILE};
    CHECK(attempt(job, closed).what == end::failed);
}

TEST_CASE("the cache of frames stays within its bytes and forgets what was used longest ago") {
    frame_cache cache({}, 1000);
    const auto frame_of = [](std::size_t size) {
        return std::make_shared<const frame_bytes>(std::make_unique<char[]>(size), size);
    };
    for (std::size_t i = 0; i < 10; ++i) {
        cache.keep({1, 1, i}, frame_of(300));
        CHECK(cache.bytes() <= 1000);
        if (i >= 2) CHECK(cache.find({1, 1, 0}));  // used each time
    }
    CHECK(cache.find({1, 1, 9}));
    CHECK_FALSE(cache.find({1, 1, 5}));
    CHECK_FALSE(cache.find({2, 1, 9}));
    cache.keep({1, 1, 11}, frame_of(5000));  // larger than all of it
    CHECK(cache.bytes() <= 1000);
}

}  // namespace livelogd::storage::test
