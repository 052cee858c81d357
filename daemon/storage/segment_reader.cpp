// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_reader.hpp"

#include "daemon/storage/segment_name.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace livelogd::storage {

namespace {

constexpr std::size_t first_backward_block = 16u << 10;
constexpr std::size_t largest_backward_block = 1u << 20;

/// Fills `to` from the file at `offset`; fewer bytes than asked for mean that the file ends there.
std::size_t read_at(int fd, char* to, std::size_t size, std::uint64_t offset) {
    std::size_t done = 0;
    while (done < size) {
        const ssize_t n = ::pread(fd, to + done, size - done, static_cast<off_t>(offset + done));
        if (n == 0) break;
        if (n > 0) {
            done += static_cast<std::size_t>(n);
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "cannot read a log segment");
        }
    }
    return done;
}

const char* find_line_end(const char* from, std::size_t size) {
    return size == 0 ? nullptr : static_cast<const char*>(std::memchr(from, '\n', size));
}

/// How many of the first `size` bytes belong to lines that have their end. Looks at windows from the back,
/// because checked builds touch all of a range that is searched, where the line end is usually near.
std::size_t whole_lines(const char* bytes, std::size_t size) {
    constexpr std::size_t window = 4096;
    while (size > 0) {
        const std::size_t start = size > window ? size - window : 0;
        if (const void* end = ::memrchr(bytes + start, '\n', size - start)) {
            return static_cast<std::size_t>(static_cast<const char*>(end) - bytes) + 1;
        }
        size = start;
    }
    return 0;
}

}  // namespace

base::unique_fd open_segment(const log_snapshot& snapshot, std::size_t i) {
    if (snapshot.in_memory(i)) {
        base::unique_fd copy(::fcntl(snapshot.held_file->get(), F_DUPFD_CLOEXEC, 0));
        if (!copy)
            throw std::system_error(errno, std::generic_category(), "cannot read what is held in memory");
        return copy;
    }
    const auto path = snapshot.directory / segment_name(snapshot.segment(i).first_id);
    base::unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno != ENOENT) {
        throw std::system_error(errno, std::generic_category(), "cannot open " + path.string());
    }
    return fd;
}

forward_reader::forward_reader(int fd, std::uint64_t begin, std::uint64_t end, std::size_t block_bytes)
    : fd_(fd),
      file_position_(begin),
      end_(end),
      // A short range needs no large buffer; one byte at least, so that growing by doubling works.
      buffer_(std::max<std::size_t>(
          1, static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes, end > begin ? end - begin : 0)))) {
}

bool forward_reader::next(stored_line& line) {
    std::size_t searched = consumed_;
    for (;;) {
        const char* const data = buffer_.data();
        if (const char* end = find_line_end(data + searched, used_ - searched)) {
            const auto size = static_cast<std::size_t>(end - data) - consumed_;
            line.offset = file_position_ - used_ + consumed_;
            line.bytes = std::string_view(data + consumed_, size);
            consumed_ += size + 1;
            return true;
        }
        searched = used_ - consumed_;  // where the search goes on once refill has moved the rest to the front
        if (!refill()) return false;
    }
}

bool forward_reader::refill() {
    if (file_position_ >= end_) return false;
    const std::size_t kept = used_ - consumed_;
    if (kept > 0 && consumed_ > 0) std::memmove(buffer_.data(), buffer_.data() + consumed_, kept);
    consumed_ = 0;
    used_ = kept;
    if (used_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size() - used_, end_ - file_position_));
    const std::size_t got = read_at(fd_, buffer_.data() + used_, wanted, file_position_);
    used_ += got;
    file_position_ += got;
    if (got < wanted) {
        // The file was cut under us: nothing more will come.
        end_ = file_position_;
        early_end_ = true;
    }
    return got > 0;
}

backward_reader::backward_reader(int fd, std::uint64_t begin, std::uint64_t end)
    : fd_(fd), begin_(begin), position_(std::max(begin, end)), block_bytes_(first_backward_block) {}

bool backward_reader::previous(stored_line& line) {
    // Bytes at the front of the unread ones that are known to hold no line end are not searched again: only
    // what refill has put before them is new.
    std::size_t searched = 0;
    for (;;) {
        if (unread_ == 0) {
            if (!refill()) return false;
            searched = 0;
            continue;
        }
        const char* const data = buffer_.data();
        if (data[unread_ - 1] != '\n') {
            // Only at the end of a file that was cut: what has lost its end is no line.
            unread_ = whole_lines(data, unread_);
            searched = 0;
            continue;
        }
        const std::size_t start = whole_lines(data, unread_ - 1 - searched);
        if (start > 0 || position_ == begin_) {
            line.offset = position_ + start;
            line.bytes = std::string_view(data + start, unread_ - 1 - start);
            unread_ = start;
            return true;
        }
        searched = unread_ - 1;
        const std::uint64_t unread_end = position_ + unread_;
        if (!refill()) return false;
        if (position_ + unread_ != unread_end)
            searched = 0;  // the file was cut: these are other bytes than before
    }
}

bool backward_reader::refill() {
    if (position_ == begin_) return false;
    // A line longer than the blocks so far: as much again, so that moving it costs no more than reading it.
    const auto wanted = static_cast<std::size_t>(
        std::min<std::uint64_t>(std::max<std::size_t>(block_bytes_, unread_), position_ - begin_));
    block_bytes_ = std::min(block_bytes_ * 2, largest_backward_block);
    if (buffer_.size() < wanted + unread_) buffer_.resize(wanted + unread_);
    if (unread_ > 0) std::memmove(buffer_.data() + wanted, buffer_.data(), unread_);
    position_ -= wanted;
    const std::size_t got = read_at(fd_, buffer_.data(), wanted, position_);
    // A file that ends inside this block has been cut: what was read from behind its end no longer follows.
    unread_ = got == wanted ? unread_ + wanted : got;
    early_end_ = early_end_ || got != wanted;
    return true;
}

}  // namespace livelogd::storage
