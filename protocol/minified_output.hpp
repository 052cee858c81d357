// SPDX-License-Identifier: MIT
// Where a record is written while it is read: the sender's bytes less those that are left out. A part of
// scan_record().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

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
        end_ = end;
        run_ = first;
        to_ = buffer_.get();
        make_room(0);
    }

    /// How many bytes precede what is read at `p`.
    [[nodiscard]] std::size_t offset_of(const char* p) const {
        return written() + static_cast<std::size_t>(p - run_);
    }

    [[nodiscard]] place here() const { return {.written = written(), .run = run_}; }

    /// [from, to) is left out.
    void drop(const char* from, const char* to) {
        keep(from);
        run_ = to;
    }

    /// [from, to) becomes `bytes`. `before`: what here() was at `from`.
    void replace(const place& before, const char* from, const char* to, std::string_view bytes) {
        to_ = buffer_.get() + before.written;
        run_ = before.run;
        keep(from);
        run_ = to;
        make_room(bytes.size());
        std::memcpy(to_, bytes.data(), bytes.size());
        to_ += bytes.size();
    }

    /// The record, which ends at `p`: valid until begin().
    [[nodiscard]] std::string_view finish(const char* p) {
        if (written() == 0) return {run_, static_cast<std::size_t>(p - run_)};
        keep(p);
        return {buffer_.get(), written()};
    }

    /// Gives back what a long record needed. Between records only.
    void forget() {
        if (capacity_ <= kept_capacity) return;
        buffer_.reset();
        capacity_ = 0;
    }

  private:
    static constexpr std::size_t kept_capacity = std::size_t{64} * 1024;
    static constexpr std::ptrdiff_t copy_width = 32;

    [[nodiscard]] std::size_t written() const { return static_cast<std::size_t>(to_ - buffer_.get()); }

    /// There is room: make_room() has seen to it, and what is left out only makes more.
    void keep(const char* until) {
        const std::ptrdiff_t size = until - run_;
        // Most runs are short: a copy of fixed size, the rest of which is written over, is the quickest.
        if (size <= copy_width && end_ - run_ >= copy_width) [[likely]] {
            std::memcpy(to_, run_, copy_width);
        } else {
            std::memcpy(to_, run_, static_cast<std::size_t>(size));
        }
        to_ += size;
    }

    /// Room for `size` bytes, all that is left of the line, and a copy's width.
    void make_room(std::size_t size) {
        const std::size_t needed = written() + size + static_cast<std::size_t>(end_ - run_ + copy_width);
        if (capacity_ >= needed) return;
        const std::size_t capacity = std::max(needed, capacity_ + capacity_ / 2);
        const std::size_t kept = written();
        auto larger = std::make_unique_for_overwrite<char[]>(capacity);
        if (kept > 0) std::memcpy(larger.get(), buffer_.get(), kept);
        buffer_ = std::move(larger);
        capacity_ = capacity;
        to_ = buffer_.get() + kept;
    }

    const char* run_ = nullptr;
    const char* end_ = nullptr;
    char* to_ = nullptr;  ///< in the buffer
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0;
};

}  // namespace livelogd::protocol
