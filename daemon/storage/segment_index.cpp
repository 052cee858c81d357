// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_index.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include <unistd.h>

namespace livelogd::storage {

namespace {

constexpr std::size_t read_bytes = 64u << 10;

/// Calls `found(offset)` for every line end in [begin, end) and returns where the file (or the range) ended.
template <class Found>
std::uint64_t for_each_line_end(int fd, std::uint64_t begin, std::uint64_t end, Found&& found) {
    const auto buffer = std::make_unique_for_overwrite<char[]>(read_bytes);
    std::uint64_t at = begin;
    while (at < end) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(read_bytes, end - at));
        const ssize_t n = ::pread(fd, buffer.get(), wanted, static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw std::system_error(errno, std::generic_category(), "cannot read a log segment");
        if (n == 0) break;
        const auto got = static_cast<std::size_t>(n);
        for (std::size_t i = 0; i < got;) {
            const void* line_end = std::memchr(buffer.get() + i, '\n', got - i);
            if (line_end == nullptr) break;
            i = static_cast<std::size_t>(static_cast<const char*>(line_end) - buffer.get());
            found(at + i);
            ++i;
        }
        at += got;
    }
    return at;
}

}  // namespace

void segment_index::extend(int fd, std::uint64_t bytes) {
    // A record is noted when its end has been seen, so a tail without LF leaves no trace here and is read
    // again.
    for_each_line_end(fd, bytes_, bytes, [this](std::uint64_t line_end) {
        if (marks_.empty() || marks_.back().offset / stride != bytes_ / stride)
            marks_.push_back({bytes_, lines_});
        ++lines_;
        bytes_ = line_end + 1;
    });
}

std::optional<record_block> segment_index::block_with(protocol::record_id id) const {
    if (id < first_id_ || id >= end_id()) return std::nullopt;
    const std::uint64_t line = id - first_id_;
    const auto next = std::upper_bound(marks_.begin(), marks_.end(), line,
                                       [](std::uint64_t l, const mark& m) { return l < m.line; });
    const mark& here = *(next - 1);
    record_block block;
    block.begin = here.offset;
    block.first_id = first_id_ + here.line;
    if (next != marks_.end()) {
        block.end = next->offset;
        block.end_id = first_id_ + next->line;
        block.complete = true;
    } else {
        block.end = bytes_;
        block.end_id = end_id();
        // The next record will start at bytes_: if that is in another stretch, this one is done.
        block.complete = bytes_ / stride != here.offset / stride;
    }
    return block;
}

protocol::record_id segment_index::id_at(int fd, std::uint64_t offset) const {
    if (offset >= bytes_) return end_id();
    const auto next = std::upper_bound(marks_.begin(), marks_.end(), offset,
                                       [](std::uint64_t o, const mark& m) { return o < m.offset; });
    const mark& here = *(next - 1);
    std::uint64_t line = here.line;
    const std::uint64_t reached =
        for_each_line_end(fd, here.offset, offset, [&line](std::uint64_t) { ++line; });
    if (reached != offset) {
        throw std::system_error(ENODATA, std::generic_category(), "a log segment is shorter than it was");
    }
    return first_id_ + line;
}

}  // namespace livelogd::storage
