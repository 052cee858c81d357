// SPDX-License-Identifier: MIT
// Where a string stops being plain: the only question that is put to every byte of a record.
//
// A mark is a quote, a backslash, a control character, or a byte of a character above U+007F. Each set below
// looks at `width` bytes at once and is a parameter of record_pass; the AVX2 one stands in
// record_pass_avx2.cpp, because what uses it is compiled for other processors than the rest.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace livelogd::protocol {

/// Eight bytes in an integer, for every processor.
struct portable_marks {
    static constexpr std::size_t width = 8;
    static constexpr unsigned bits_a_byte =
        8;  ///< of what of() returns; the lowest ones are the first byte's

    /// Not 0 for the bytes of p[0, width) that are marks.
    static std::uint64_t of(const char* p) {
        std::uint64_t word = 0;
        std::memcpy(&word, p, sizeof word);
        if constexpr (std::endian::native == std::endian::big) word = byte_swapped(word);
        constexpr std::uint64_t control_bits = each * 0x60;  // a control character has neither
        return zero_bytes(word ^ (each * '"')) | zero_bytes(word ^ (each * '\\'))
               | zero_bytes(word & control_bits) | (word & high_bits);
    }

  private:
    static constexpr std::uint64_t each = 0x0101010101010101;
    static constexpr std::uint64_t high_bits = each * 0x80;

    /// The high bit of each byte that is zero, and nothing else.
    static constexpr std::uint64_t zero_bytes(std::uint64_t word) {
        constexpr std::uint64_t low_bits = each * 0x7F;
        return ~(((word & low_bits) + low_bits) | word | low_bits);
    }

    static constexpr std::uint64_t byte_swapped(std::uint64_t word) {
        std::uint64_t result = 0;
        for (int i = 0; i < 8; ++i, word >>= 8)
            result = result << 8 | (word & 0xFF);
        return result;
    }
};

#ifdef __SSE2__
/// Every x86-64 has it.
struct sse2_marks {
    static constexpr std::size_t width = 32;
    static constexpr unsigned bits_a_byte = 1;

    static std::uint64_t of(const char* p) { return half(p) | half(p + 16) << 16; }

  private:
    static std::uint64_t half(const char* p) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        // Compared as signed numbers, what is above U+007F lies below the space too.
        const __m128i marks = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                        _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
                                           _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
        return static_cast<std::uint32_t>(_mm_movemask_epi8(marks));
    }
};
using baseline_marks = sse2_marks;
#else
using baseline_marks = portable_marks;
#endif

/// The first mark in [p, end), else `end`. `whole`: of the bytes that may be read, [whole, end).
template <class Marks>
inline const char* find_mark(const char* p, const char* whole, const char* end) {
    const auto first = [](std::uint64_t marks) {
        return static_cast<unsigned>(std::countr_zero(marks)) / Marks::bits_a_byte;
    };
    while (end - p >= static_cast<std::ptrdiff_t>(Marks::width)) {
        if (const std::uint64_t marks = Marks::of(p); marks != 0) return p + first(marks);
        p += Marks::width;
    }
    if (p == end) return end;
    if (end - whole >= static_cast<std::ptrdiff_t>(Marks::width)) {
        // Once more over bytes before p, so that nothing behind the end is read.
        const char* const last = end - Marks::width;
        const std::uint64_t marks = Marks::of(last) >> (Marks::bits_a_byte * static_cast<unsigned>(p - last));
        return marks != 0 ? p + first(marks) : end;
    }
    while (p != end && static_cast<unsigned char>(*p - 0x20) < 0x60 && *p != '"' && *p != '\\')
        ++p;
    return p;
}

}  // namespace livelogd::protocol
