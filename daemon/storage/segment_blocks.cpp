// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_blocks.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace livelogd::storage {
namespace {

/// How many of the first `size` bytes come before the first line's end, with its LF; 0 if there is none.
std::size_t first_line(const char* bytes, std::size_t size) {
    const void* const end = size == 0 ? nullptr : std::memchr(bytes, '\n', size);
    return end == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(end) - bytes) + 1;
}

}  // namespace

std::size_t whole_lines(const char* bytes, std::size_t size) {
    // By windows from the back, because checked builds touch all of a range that is searched, where the line
    // end is usually near.
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

void block_buffer::grow(std::size_t size, std::size_t kept) {
    if (size <= size_) return;
    auto larger = std::make_unique_for_overwrite<char[]>(size);
    if (kept > 0) std::memcpy(larger.get(), bytes_.get(), kept);
    bytes_ = std::move(larger);
    size_ = size;
}

forward_blocks::forward_blocks(block_sizes sizes) : sizes_(sizes) {}

void forward_blocks::start(segment_source from, std::uint64_t begin, std::uint64_t end) {
    from_ = from;
    file_position_ = begin;
    end_ = end;
    block_bytes_ = sizes_.first;
    used_ = 0;
    consumed_ = 0;
    early_end_ = false;
}

bool forward_blocks::next(stored_block& block) {
    std::size_t searched = used_ - consumed_;  // these bytes hold no line end
    while (refill()) {
        const std::size_t whole = whole_lines(buffer_.data() + searched, used_ - searched);
        if (whole > 0) {
            block.offset = file_position_ - used_;
            block.bytes = std::string_view(buffer_.data(), searched + whole);
            consumed_ = searched + whole;
            return true;
        }
        searched = used_;
    }
    return false;
}

/// Puts more of the file behind what is not handed out yet.
bool forward_blocks::refill() {
    if (file_position_ >= end_) return false;
    const std::size_t kept = used_ - consumed_;
    if (kept > 0 && consumed_ > 0) std::memmove(buffer_.data(), buffer_.data() + consumed_, kept);
    consumed_ = 0;
    used_ = kept;
    // A line longer than a block: as much again, so that moving it costs no more than reading it.
    const auto wanted = static_cast<std::size_t>(
        std::min<std::uint64_t>(std::max(block_bytes_, kept), end_ - file_position_));
    block_bytes_ = std::min(block_bytes_ * 2, sizes_.largest);
    buffer_.grow(kept + wanted, kept);
    const std::size_t got = from_.read(buffer_.data() + used_, wanted, file_position_);
    used_ += got;
    file_position_ += got;
    if (got < wanted) {
        // The file was cut under us: nothing more will come.
        end_ = file_position_;
        early_end_ = true;
    }
    return got > 0;
}

backward_blocks::backward_blocks(block_sizes sizes) : sizes_(sizes) {}

void backward_blocks::start(segment_source from, std::uint64_t begin, std::uint64_t end) {
    from_ = from;
    begin_ = begin;
    position_ = std::max(begin, end);
    block_bytes_ = sizes_.first;
    unread_ = 0;
    early_end_ = false;
}

bool backward_blocks::previous(stored_block& block) {
    // What is unread is a line of which the beginning is missing: no line end but its own.
    std::size_t searched = unread_;
    for (;;) {
        const std::uint64_t unread_end = position_ + unread_;
        if (!refill()) return false;
        if (position_ + unread_ != unread_end)
            searched = 0;  // the file was cut: these are other bytes than before
        const char* const data = buffer_.data();
        // Only at the end of a file that was cut: what has lost its end is no line.
        if (unread_ > 0 && data[unread_ - 1] != '\n') unread_ = whole_lines(data, unread_);
        if (unread_ == 0) {
            searched = 0;
            continue;
        }
        // A block begins behind a line end; the last one, of the line that is not whole yet, is none.
        const std::size_t fresh = std::min(unread_ - 1, unread_ - searched);
        const std::size_t begin = position_ == begin_ ? 0 : first_line(data, fresh);
        if (begin > 0 || position_ == begin_) {
            block.offset = position_ + begin;
            block.bytes = std::string_view(data + begin, unread_ - begin);
            unread_ = begin;
            return true;
        }
        searched = unread_;
    }
}

/// Puts more of the file in front of what is not handed out yet.
bool backward_blocks::refill() {
    if (position_ == begin_) return false;
    // A line longer than the blocks so far: as much again, so that moving it costs no more than reading it.
    const auto wanted = static_cast<std::size_t>(
        std::min<std::uint64_t>(std::max(block_bytes_, unread_), position_ - begin_));
    block_bytes_ = std::min(block_bytes_ * 2, sizes_.largest);
    buffer_.grow(wanted + unread_, unread_);
    if (unread_ > 0) std::memmove(buffer_.data() + wanted, buffer_.data(), unread_);
    position_ -= wanted;
    const std::size_t got = from_.read(buffer_.data(), wanted, position_);
    // A file that ends inside this block has been cut: what was read from behind its end no longer follows.
    unread_ = got == wanted ? unread_ + wanted : got;
    early_end_ = early_end_ || got != wanted;
    return true;
}

}  // namespace livelogd::storage
