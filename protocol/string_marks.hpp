// SPDX-License-Identifier: MIT
// Where strings stop being plain: the only question that is put to every byte of a record. A part of
// scan_record().
//
// A mark is a quote, a backslash, a control character, or a byte of a character above U+007F. They are looked
// for 64 bytes at a time, ahead of the pass that needs them: it then finds a string's end by one look, where
// a loop over the characters would end at a place that no processor foresees.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace livelogd::protocol {

/// Looks for the marks of [p, p + size): a bit for each byte, eight bytes to a byte of `bits`, the lowest bit
/// first. Writes whole words of 64 bits; those beyond `size` are 0.
using mark_finder = void (*)(const char* p, std::size_t size, unsigned char* bits);

/// Which finder. All find the same; they differ in speed and in what they need of the processor.
enum class scan_path : std::uint8_t { portable, sse2, avx2 };

/// Those that this processor has, the fastest last.
std::span<const scan_path> available_scan_paths();

/// `path`: one of those.
mark_finder finder_of(scan_path path);

/// A word whose lowest byte comes first in memory.
inline std::uint64_t little_endian(std::uint64_t word) {
    if constexpr (std::endian::native == std::endian::little) return word;
    std::uint64_t result = 0;
    for (int i = 0; i < 8; ++i, word >>= 8)
        result = result << 8 | (word & 0xFF);
    return result;
}

/// The marks of some bytes. The last byte is one of them, whatever it is: looking ends there.
class string_marks {
  public:
    string_marks(mark_finder find, const char* begin, const char* end)
        : find_(find), chunk_(begin), end_(end) {
        look_at_chunk();
    }

    /// The first mark at `p` or behind it. `p`: not the end, nor before where an earlier call was.
    const char* next(const char* p) {
        const auto at = static_cast<std::size_t>(p - chunk_);
        if (at < chunk_size) [[likely]] {
            if (const std::uint64_t marks = marks_from(at); marks != 0) [[likely]]
                return p + std::countr_zero(marks);
        }
        return next_far(p);
    }

  private:
    /// Bounds the memory for the marks of long lines.
    static constexpr std::size_t chunk_size = 4096;

    /// Of the bytes from `at` on, the lowest bit is the first one's: at least 57 of them.
    [[nodiscard]] std::uint64_t marks_from(std::size_t at) const {
        std::uint64_t word = 0;
        std::memcpy(&word, &bits_[at / 8], sizeof word);
        return little_endian(word) >> at % 8;
    }

    const char* next_far(const char* p);
    void look_at_chunk();

    mark_finder find_;
    const char* chunk_;  ///< the bytes that bits_ tell of begin here
    const char* end_;
    std::array<unsigned char, chunk_size / 8 + sizeof(std::uint64_t)> bits_;  ///< the last ones are 0
};

}  // namespace livelogd::protocol
