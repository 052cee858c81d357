// SPDX-License-Identifier: MIT
// The load of ingest: sends a file of records to a Unix socket, and waits until all of it is in the files at
// the other end.
//
//   send_records --file=F --socket=PATH --folder=DIR [--expect=F2] [--connections=1] [--each] [--count=N]
//   [--pid=P]
//                [--trust]
//
//   --each         one write a record; default: blocks of 256 KiB
//   --count        only the first N records of the file, and of F2
//   --expect       what must be in the files then, as a set of lines; default: F itself
//   --pid          the process whose CPU time is told
//   --trust        does not read the files afterwards: "lost" is told as 0, "same" as true
//
// Prints one line of JSON: records, bytes sent, seconds until the last of them was in the files of DIR
// (*.jsonl), CPU seconds of the process meanwhile, how many lines are missing, and whether the lines are the
// expected ones in any order.
#include "tests/bench/support.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <thread>
#include <vector>

#include <sys/prctl.h>

namespace {

constexpr std::size_t block_bytes = 256u << 10;
constexpr std::uint64_t quiet_ns = 3'000'000'000;  // nothing has grown for so long: no more will come
constexpr std::uint64_t patience_ns = 60'000'000'000;

/// The number of lines and a sum over them that does not depend on their order.
struct line_set {
    std::uint64_t lines = 0;
    std::uint64_t sum = 0;

    void add(std::string_view text) {
        for (std::size_t at = 0; at < text.size();) {
            const auto end = text.find('\n', at);
            if (end == text.npos) return;  // not whole: no record
            sum += digest(text.substr(at, end - at));
            ++lines;
            at = end + 1;
        }
    }
    friend bool operator==(const line_set&, const line_set&) = default;

  private:
    /// FNV-1a over eight bytes at a time: enough to tell lines apart.
    static std::uint64_t digest(std::string_view line) {
        std::uint64_t h = 14'695'981'039'346'656'037u + line.size();
        while (!line.empty()) {
            std::uint64_t word = 0;
            const auto n = std::min<std::size_t>(line.size(), sizeof word);
            std::memcpy(&word, line.data(), n);
            h = (h ^ word) * 1'099'511'628'211u;
            h ^= h >> 29;
            line.remove_prefix(n);
        }
        return h;
    }
};

std::string first_lines(std::string bytes, std::uint64_t count) {
    std::size_t at = 0;
    for (std::uint64_t n = 0; n < count && at < bytes.size(); ++n) {
        const auto end = bytes.find('\n', at);
        at = end == bytes.npos ? bytes.size() : end + 1;
    }
    if (count != 0) bytes.resize(at);
    return bytes;
}

/// Parts of about equal size, each of whole lines.
std::vector<std::string_view> parts_of(std::string_view bytes, std::size_t count) {
    std::vector<std::string_view> parts;
    for (std::size_t left = count; left > 0; --left) {
        auto end = bytes.size() / left;
        if (left > 1) end = std::min(bytes.size(), bytes.find('\n', end) + 1);
        parts.push_back(bytes.substr(0, end));
        bytes.remove_prefix(end);
    }
    return parts;
}

void send_part(int fd, std::string_view part, bool each) {
    while (!part.empty()) {
        const auto n = each ? part.find('\n') + 1 : std::min(part.size(), block_bytes);
        bench::send_whole(fd, part.substr(0, n));
        part.remove_prefix(n);
    }
}

std::vector<std::filesystem::path> files_in(const std::string& folder) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".jsonl" && !entry.is_symlink()) found.push_back(entry.path());
    return found;
}

std::uint64_t bytes_in(const std::string& folder) {
    std::uint64_t sum = 0;
    for (const auto& file : files_in(folder)) {
        std::error_code gone;
        const auto size = std::filesystem::file_size(file, gone);
        if (!gone) sum += size;
    }
    return sum;
}

line_set lines_in(const std::string& folder) {
    line_set found;
    for (const auto& file : files_in(folder))
        found.add(bench::read_file(file));
    return found;
}

void load(const bench::options& o) {
    const auto count = o.number("count", 0);
    const auto bytes = first_lines(bench::read_file(o.needed("file")), count);
    const auto folder = o.needed("folder");
    const auto pid = static_cast<pid_t>(o.number("pid", 0));
    const auto stored = o.has("expect") ? first_lines(bench::read_file(o.text("expect")), count) : bytes;
    line_set expected;
    expected.add(stored);

    line_set before;
    if (!o.has("trust")) before = lines_in(folder);
    const auto whole = bytes_in(folder) + stored.size();
    const auto parts = parts_of(bytes, static_cast<std::size_t>(o.number("connections", 1)));
    std::vector<int> fds;
    fds.reserve(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i)
        fds.push_back(bench::connect_unix(o.needed("socket")));

    const auto cpu_before = bench::cpu_ns(pid);
    const auto begun = bench::now_ns();
    std::atomic<std::size_t> sending = parts.size();
    std::atomic<bool> failed = false;
    std::vector<std::thread> threads;
    threads.reserve(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        threads.emplace_back([&, i] {
            try {
                send_part(fds[i], parts[i], o.has("each"));
            } catch (const std::exception& error) {
                std::fprintf(stderr, "send_records: %s\n", error.what());
                failed = true;
            }
            --sending;
        });
    }

    ::prctl(PR_SET_TIMERSLACK, 1'000ul);
    // Looking at the files costs too, so not while there is more to send.
    while (sending > 0)
        bench::sleep_until(bench::now_ns() + 500'000);
    std::uint64_t size = 0;
    auto grown = bench::now_ns();
    auto cpu = bench::cpu_ns(pid);
    for (;;) {
        const auto now = bench::now_ns();
        const auto new_size = bytes_in(folder);
        if (new_size != size) {
            cpu = bench::cpu_ns(pid);
            size = new_size;
            grown = now;
        }
        if (size >= whole || now - grown > quiet_ns) break;
        if (now - begun > patience_ns) throw std::runtime_error("it takes too long");
        bench::sleep_until(now + 1'000'000);
    }
    for (auto& thread : threads)
        thread.join();
    for (const int fd : fds)
        ::close(fd);
    if (failed) throw std::runtime_error("a sender has failed");

    auto there = expected;
    if (!o.has("trust")) {
        there = lines_in(folder);
        there.lines -= before.lines;
        there.sum -= before.sum;
    }
    std::printf(
        "{\"records\":%llu,\"bytes\":%zu,\"seconds\":%.6f,\"cpu_s\":%.6f,\"lost\":%lld,\"same\":%s}\n",
        static_cast<unsigned long long>(expected.lines), bytes.size(), bench::seconds(grown - begun),
        bench::seconds(cpu - cpu_before),
        static_cast<long long>(expected.lines) - static_cast<long long>(there.lines),
        there == expected ? "true" : "false");
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, load);
}
