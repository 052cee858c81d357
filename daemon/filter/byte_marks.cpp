// SPDX-License-Identifier: MIT
#include "daemon/filter/byte_marks.hpp"

#include <bit>
#include <cstring>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace livelogd::filter {
namespace {

constexpr std::size_t word_size = sizeof(std::uint64_t);
constexpr std::uint64_t ones = 0x0101010101010101;
constexpr std::uint64_t low_bits = 0x7F7F7F7F7F7F7F7F;

std::uint64_t load(const char* p) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

/// The high bit of each byte that is zero, and of no other.
std::uint64_t zero_bytes(std::uint64_t word) {
    return ~(((word & low_bits) + low_bits) | word | low_bits);
}

/// The high bits of the eight bytes side by side, that of the lowest byte first.
std::uint64_t gathered(std::uint64_t high_bits) {
    return ((high_bits >> 7) * 0x0102040810204080) >> 56;
}

void mark_by_words(const byte_triple& wanted, const char* text, std::span<std::uint64_t> marks) {
    for (std::uint64_t& mark : marks) {
        for (std::size_t shift = 0; shift < places_in_mark; shift += word_size, text += word_size) {
            std::uint64_t found = ~low_bits;
            for (std::size_t i = 0; i < wanted.at.size(); ++i)
                found &= zero_bytes((load(text + wanted.at[i]) | (ones * wanted.bits[i]))
                                    ^ (ones * wanted.value[i]));
            mark |= gathered(found) << shift;
        }
    }
}

#ifdef __x86_64__

/// One byte of a triple, 16 times.
struct short_row {
    __m128i bits;
    __m128i value;
    std::size_t at;
};

inline short_row short_row_of(const byte_triple& wanted, std::size_t i) {
    return {.bits = _mm_set1_epi8(static_cast<char>(wanted.bits[i])),
            .value = _mm_set1_epi8(static_cast<char>(wanted.value[i])),
            .at = wanted.at[i]};
}

inline __m128i fits(const char* p, const short_row& wanted) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + wanted.at));
    return _mm_cmpeq_epi8(_mm_or_si128(bytes, wanted.bits), wanted.value);
}

void mark_sse2(const byte_triple& wanted, const char* text, std::span<std::uint64_t> marks) {
    constexpr std::size_t step = sizeof(__m128i);
    const short_row first = short_row_of(wanted, 0);
    const short_row second = short_row_of(wanted, 1);
    const short_row third = short_row_of(wanted, 2);
    for (std::uint64_t& mark : marks) {
        for (std::size_t shift = 0; shift < places_in_mark; shift += step, text += step) {
            const __m128i all =
                _mm_and_si128(_mm_and_si128(fits(text, first), fits(text, second)), fits(text, third));
            mark |= static_cast<std::uint64_t>(_mm_movemask_epi8(all)) << shift;
        }
    }
}

/// One byte of a triple, 32 times.
struct long_row {
    __m256i bits;
    __m256i value;
    std::size_t at;
};

[[gnu::target("avx2")]] inline long_row long_row_of(const byte_triple& wanted, std::size_t i) {
    return {.bits = _mm256_set1_epi8(static_cast<char>(wanted.bits[i])),
            .value = _mm256_set1_epi8(static_cast<char>(wanted.value[i])),
            .at = wanted.at[i]};
}

[[gnu::target("avx2")]] inline __m256i fits(const char* p, const long_row& wanted) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + wanted.at));
    return _mm256_cmpeq_epi8(_mm256_or_si256(bytes, wanted.bits), wanted.value);
}

[[gnu::target("avx2")]] void mark_avx2(const byte_triple& wanted, const char* text,
                                       std::span<std::uint64_t> marks) {
    constexpr std::size_t step = sizeof(__m256i);
    const long_row first = long_row_of(wanted, 0);
    const long_row second = long_row_of(wanted, 1);
    const long_row third = long_row_of(wanted, 2);
    for (std::uint64_t& mark : marks) {
        for (std::size_t shift = 0; shift < places_in_mark; shift += step, text += step) {
            const __m256i all =
                _mm256_and_si256(_mm256_and_si256(fits(text, first), fits(text, second)), fits(text, third));
            mark |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(all)))
                    << shift;
        }
    }
}

constexpr std::array markers{place_marker{"words", mark_by_words}, place_marker{"sse2", mark_sse2},
                             place_marker{"avx2", mark_avx2}};

#else

constexpr std::array markers{place_marker{"words", mark_by_words}};

#endif

std::span<const place_marker> usable_markers() {
    std::span<const place_marker> usable(markers);
#ifdef __x86_64__
    if (!__builtin_cpu_supports("avx2")) usable = usable.first(usable.size() - 1);
#endif
    return usable;
}

}  // namespace

std::span<const place_marker> place_markers() {
    static const std::span<const place_marker> usable = usable_markers();
    return usable;
}

void mark_places(const byte_triple& wanted, const char* text, std::span<std::uint64_t> marks) {
    place_markers().back().mark(wanted, text, marks);
}

}  // namespace livelogd::filter
