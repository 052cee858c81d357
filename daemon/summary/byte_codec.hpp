// SPDX-License-Identifier: MIT
// Numbers and texts as bytes: how summaries are kept, in memory and in files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace livelogd::summary {

__extension__ using wide_count = unsigned __int128;

/// The bytes are not what a byte_writer has written: a summary is damaged, or of another version.
struct damaged_summary : std::runtime_error {
    damaged_summary() : std::runtime_error("a summary is damaged") {}
};

/// Appends to a string. Numbers are LEB128: 7 bits a byte, the lowest first, the high bit says that more
/// follow.
class byte_writer {
  public:
    explicit byte_writer(std::string& out) : out_(out) {}

    void number(std::uint64_t value) {
        for (; value >= more; value >>= bits)
            out_.push_back(static_cast<char>(value | more));
        out_.push_back(static_cast<char>(value));
    }
    /// Small magnitudes of either sign stay short.
    void signed_number(std::int64_t value) {
        number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
    }
    void wide_number(wide_count value) {
        number(static_cast<std::uint64_t>(value));
        number(static_cast<std::uint64_t>(value >> 64));
    }
    void text(std::string_view characters) {
        number(characters.size());
        out_.append(characters);
    }
    void optional_number(std::optional<std::uint64_t> value) {
        number(value ? 1 : 0);
        if (value) number(*value);
    }
    void optional_signed(std::optional<std::int64_t> value) {
        number(value ? 1 : 0);
        if (value) signed_number(*value);
    }

  private:
    static constexpr unsigned bits = 7;
    static constexpr std::uint64_t more = 0x80;
    std::string& out_;
};

/// Reads what a byte_writer has written, in the same order. Every call may throw damaged_summary; texts are
/// views into the bytes.
class byte_reader {
  public:
    explicit byte_reader(std::string_view bytes) : p_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    std::uint64_t number() {
        // Most are below 128.
        if (p_ != end_ && static_cast<signed char>(*p_) >= 0) return static_cast<std::uint64_t>(*p_++);
        return long_number();
    }
    std::int64_t signed_number() {
        const std::uint64_t value = number();
        return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
    wide_count wide_number() {
        const wide_count low = number();
        return low | wide_count{number()} << 64;
    }
    std::string_view text() {
        const std::uint64_t size = number();
        if (size > left()) throw damaged_summary();
        const std::string_view characters(p_, static_cast<std::size_t>(size));
        p_ += size;
        return characters;
    }
    std::optional<std::uint64_t> optional_number() {
        if (number() == 0) return std::nullopt;
        return number();
    }
    std::optional<std::int64_t> optional_signed() {
        if (number() == 0) return std::nullopt;
        return signed_number();
    }
    [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - p_); }

  private:
    std::uint64_t long_number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (p_ == end_) break;
            const auto byte = static_cast<unsigned char>(*p_++);
            value |= std::uint64_t{byte & 0x7fu} << shift;
            if (byte < 0x80) return value;
        }
        throw damaged_summary();
    }

    const char* p_;
    const char* end_;
};

}  // namespace livelogd::summary
