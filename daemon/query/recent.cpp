// SPDX-License-Identifier: MIT
#include "daemon/query/recent.hpp"

#include "daemon/query/backward_search.hpp"
#include "daemon/query/log_changed.hpp"
#include "daemon/query/stopped.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

namespace livelogd::query {
namespace {

constexpr std::size_t piece_bytes = 256u << 10;

/// A piece is full enough when less than this is left of it: no reads of a few bytes to fill it up.
constexpr std::size_t least_read_bytes = 16u << 10;

/// What lies between two runs is read over if it is no longer than this: cheaper than another call.
constexpr std::uint64_t widest_gap_bytes = 8u << 10;

/// Neighbouring records that are all wanted: from the first one's first byte to the last one's LF, without
/// it.
struct run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// What is wanted of one segment. The newest run comes first: the order of the search.
struct part {
    std::shared_ptr<const base::unique_fd> file;
    std::vector<run> runs;
};

void read_exactly(int fd, char* to, std::size_t size, std::uint64_t offset) {
    for (std::size_t done = 0; done < size;) {
        const ssize_t n = ::pread(fd, to + done, size - done, static_cast<off_t>(offset + done));
        if (n == 0) throw log_changed();
        if (n > 0) {
            done += static_cast<std::size_t>(n);
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "cannot read a log segment");
        }
    }
}

/// Appends the bytes of a run: where a line ends, the next element of the array begins.
void append_records(std::string& out, std::string_view bytes) {
    std::size_t end = 0;
    while ((end = bytes.find('\n')) != std::string_view::npos) {
        out.append(bytes.substr(0, end)).append(",\n");
        bytes.remove_prefix(end + 1);
    }
    out.append(bytes);
}

}  // namespace

struct recent_answer::state {
    state(storage::log_snapshot log, recent_request wanted, std::stop_token token)
        : snapshot(std::move(log)), request(std::move(wanted)), stop(std::move(token)) {}

    void search();
    void append_some(std::string& out, std::size_t most);

    storage::log_snapshot snapshot;
    recent_request request;
    std::stop_token stop;

    std::vector<part> parts;  ///< still to be written; the newest segment first
    std::vector<char> block;
    bool begun = false;
    bool any_written = false;
    bool within_run = false;  ///< of the next run the first bytes are out already
    bool complete = false;
};

/// Notes where the records stand: 16 bytes for each run of neighbours.
void recent_answer::state::search() {
    backward_search records(snapshot, request.filter, request.strict, stop);
    record_place place;
    for (std::size_t found = 0; found < request.lines && records.next(place); ++found) {
        if (parts.empty() || parts.back().file != records.file())
            parts.push_back({.file = records.file(), .runs = {}});
        auto& runs = parts.back().runs;
        const std::uint64_t end = place.offset + place.size;
        if (!runs.empty() && runs.back().begin == end + 1) {
            runs.back().begin = place.offset;
        } else {
            runs.push_back({.begin = place.offset, .end = end});
        }
    }
}

/// Writes the oldest records that are still to be written, with one read of at most `most` bytes.
void recent_answer::state::append_some(std::string& out, std::size_t most) {
    if (stop.stop_requested()) throw stopped();
    auto& runs = parts.back().runs;
    const std::uint64_t begin = runs.back().begin;
    const std::uint64_t limit = begin + most;
    std::uint64_t end = std::min(runs.back().end, limit);
    for (auto next = runs.rbegin() + 1; next != runs.rend(); ++next) {
        if (next->begin - end > widest_gap_bytes || next->begin >= limit) break;
        end = std::min(next->end, limit);
    }

    block.resize(static_cast<std::size_t>(end - begin));
    read_exactly(parts.back().file->get(), block.data(), block.size(), begin);
    const std::string_view bytes(block.data(), block.size());
    while (!runs.empty() && runs.back().begin < end) {
        run& next = runs.back();
        if (!within_run && any_written) out.append(",\n");
        const std::uint64_t stop_at = std::min(next.end, end);
        append_records(out, bytes.substr(next.begin - begin, stop_at - next.begin));
        any_written = true;
        within_run = stop_at < next.end;
        next.begin = stop_at;
        if (!within_run) runs.pop_back();
    }
    if (runs.empty()) parts.pop_back();
}

recent_answer::recent_answer(storage::log_snapshot snapshot, recent_request request, std::stop_token stop)
    : state_(std::make_unique<state>(std::move(snapshot), std::move(request), std::move(stop))) {}

recent_answer::~recent_answer() = default;

bool recent_answer::next(std::string& out) {
    state& s = *state_;
    if (s.complete) return false;
    const std::size_t before = out.size();
    if (!s.begun) {
        s.search();
        s.begun = true;
        out += '[';
    }
    while (!s.parts.empty()) {
        const std::size_t size = out.size() - before;
        if (size + least_read_bytes > piece_bytes) return true;
        s.append_some(out, piece_bytes - size);
    }
    out += "]\n";
    s.complete = true;
    return false;
}

}  // namespace livelogd::query
