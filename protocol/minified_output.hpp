// SPDX-License-Identifier: MIT
// Where a record is written while it is read: the sender's bytes less those that are left out. A part of
// scan_record().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace livelogd::protocol {

/// Bytes that are kept are not copied one by one: [run, here) is the run of them that is still to be copied.
/// Of a record that is kept whole nothing is copied at all.
class minified_output {
  public:
    /// What replace() goes back to.
    struct place {
        std::size_t written = 0;
        const char* run = nullptr;
    };

    /// Begins a record: [first, end) are the bytes that will be read.
    void begin(const char* first, const char* end) {
        at_ = {.written = 0, .run = first};
        end_ = end;
    }

    /// How many bytes precede what is read at `p`.
    [[nodiscard]] std::size_t offset_of(const char* p) const {
        return at_.written + static_cast<std::size_t>(p - at_.run);
    }

    [[nodiscard]] place here() const { return at_; }

    /// [from, to) is left out.
    void drop(const char* from, const char* to) {
        keep(from);
        at_.run = to;
    }

    /// [from, to) becomes `bytes`. `before`: what here() was at `from`.
    void replace(const place& before, const char* from, const char* to, std::string_view bytes) {
        at_ = before;
        keep(from);
        grow(bytes.size());
        std::memcpy(buffer_.get() + at_.written, bytes.data(), bytes.size());
        at_.written += bytes.size();
        at_.run = to;
    }

    /// The record, which ends at `p`: valid until begin().
    [[nodiscard]] std::string_view finish(const char* p) {
        if (at_.written == 0) return {at_.run, static_cast<std::size_t>(p - at_.run)};
        keep(p);
        return {buffer_.get(), at_.written};
    }

    /// Gives back what a long record needed.
    void forget() {
        if (capacity_ <= kept_capacity) return;
        buffer_.reset();
        capacity_ = 0;
    }

  private:
    static constexpr std::size_t kept_capacity = std::size_t{64} * 1024;
    static constexpr std::size_t copy_width = 32;

    void keep(const char* until) {
        const auto size = static_cast<std::size_t>(until - at_.run);
        if (capacity_ - at_.written < size + copy_width) grow(size);
        char* const to = buffer_.get() + at_.written;
        // Most runs are short: a copy of fixed size, the rest of which is written over, is the quickest.
        if (size <= copy_width && end_ - at_.run >= static_cast<std::ptrdiff_t>(copy_width)) {
            std::memcpy(to, at_.run, copy_width);
        } else {
            std::memcpy(to, at_.run, size);
        }
        at_.written += size;
    }

    /// Makes room for `size` bytes and a copy's width.
    void grow(std::size_t size) {
        const std::size_t needed = at_.written + size + copy_width;
        if (capacity_ >= needed) return;
        // What is left of the line is likely to be kept too.
        const auto ahead = static_cast<std::size_t>(end_ - at_.run);
        const std::size_t capacity = std::max({needed, at_.written + ahead + copy_width, capacity_ * 2});
        auto larger = std::make_unique_for_overwrite<char[]>(capacity);
        if (at_.written > 0) std::memcpy(larger.get(), buffer_.get(), at_.written);
        buffer_ = std::move(larger);
        capacity_ = capacity;
    }

    place at_;
    const char* end_ = nullptr;
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0;
};

}  // namespace livelogd::protocol
