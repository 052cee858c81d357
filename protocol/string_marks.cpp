// SPDX-License-Identifier: MIT
#include "protocol/string_marks.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace livelogd::protocol {
namespace {

constexpr std::size_t block_size = 64;

/// A block of 64 bytes, whose marks are bits: the lowest is the first byte's.
using block_marks = std::uint64_t (*)(const char* block);

template <block_marks marks_of>
[[gnu::always_inline]] inline void find_marks(const char* p, std::size_t size, unsigned char* bits) {
    const auto put = [&bits](std::uint64_t marks) {
        marks = little_endian(marks);
        std::memcpy(bits, &marks, sizeof marks);
        bits += sizeof marks;
    };
    std::size_t at = 0;
    for (; size - at >= block_size; at += block_size)
        put(marks_of(p + at));
    const std::size_t left = size - at;
    if (left == 0) return;
    if (at > 0) {
        // Once more over bytes that have been looked at, so that none behind the end is read.
        put(marks_of(p + size - block_size) >> (block_size - left));
        return;
    }
    std::array<char, block_size> alone;
    alone.fill(' ');
    std::memcpy(alone.data(), p, left);
    put(marks_of(alone.data()));
}

/// Eight bytes in an integer, for every processor.
namespace portable {

constexpr std::uint64_t each = 0x0101010101010101;
constexpr std::uint64_t high_bits = each * 0x80;

/// The high bit of each byte that is zero, and nothing else.
constexpr std::uint64_t zero_bytes(std::uint64_t word) {
    constexpr std::uint64_t low_bits = each * 0x7F;
    return ~(((word & low_bits) + low_bits) | word | low_bits);
}

inline std::uint64_t marks_of_eight(const char* p) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    word = little_endian(word);
    constexpr std::uint64_t control_bits = each * 0x60;  // a control character has neither
    const std::uint64_t marks = zero_bytes(word ^ (each * '"')) | zero_bytes(word ^ (each * '\\'))
                                | zero_bytes(word & control_bits) | (word & high_bits);
    // Gathers the eight high bits in the highest byte: each factor's bit moves one of them there.
    constexpr std::uint64_t gather = 0x0102040810204080;
    return (marks >> 7) * gather >> 56;
}

inline std::uint64_t marks_of(const char* block) {
    std::uint64_t marks = 0;
    for (unsigned i = 0; i < block_size / 8; ++i)
        marks |= marks_of_eight(block + std::size_t{i} * 8) << i * 8;
    return marks;
}

void find(const char* p, std::size_t size, unsigned char* bits) {
    find_marks<marks_of>(p, size, bits);
}

}  // namespace portable

#if defined(__x86_64__)

namespace sse2 {

inline std::uint64_t marks_of_sixteen(const char* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    // Compared as signed numbers, what is above U+007F lies below the space too.
    const __m128i marks = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
        _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(marks));
}

inline std::uint64_t marks_of(const char* block) {
    return marks_of_sixteen(block) | marks_of_sixteen(block + 16) << 16 | marks_of_sixteen(block + 32) << 32
           | marks_of_sixteen(block + 48) << 48;
}

void find(const char* p, std::size_t size, unsigned char* bits) {
    find_marks<marks_of>(p, size, bits);
}

}  // namespace sse2

namespace avx2 {

#define LIVELOGD_FOR_AVX2 gnu::target("avx2,bmi")

[[LIVELOGD_FOR_AVX2]] inline std::uint64_t marks_of_half(const char* p) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i marks = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')),
                                                          _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'))),
                                          _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), bytes));
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(marks));
}

[[LIVELOGD_FOR_AVX2]] inline std::uint64_t marks_of(const char* block) {
    return marks_of_half(block) | marks_of_half(block + 32) << 32;
}

[[LIVELOGD_FOR_AVX2]] void find(const char* p, std::size_t size, unsigned char* bits) {
    find_marks<marks_of>(p, size, bits);
}

#undef LIVELOGD_FOR_AVX2

}  // namespace avx2

#endif

}  // namespace

std::span<const scan_path> available_scan_paths() {
    static constexpr std::array paths{scan_path::portable, scan_path::sse2, scan_path::avx2};
#if defined(__x86_64__)
    static const std::size_t count = __builtin_cpu_supports("avx2") ? 3 : 2;
    return std::span(paths).first(count);
#else
    return std::span(paths).first(1);
#endif
}

mark_finder finder_of(scan_path path) {
#if defined(__x86_64__)
    if (path == scan_path::avx2) return avx2::find;
    if (path == scan_path::sse2) return sse2::find;
#endif
    static_cast<void>(path);
    return portable::find;
}

const char* string_marks::next_far(const char* p) {
    auto at = static_cast<std::size_t>(p - chunk_);
    for (;;) {
        while (at >= chunk_size) {
            chunk_ += chunk_size;
            at -= chunk_size;
            look_at_chunk();
        }
        if (const std::uint64_t marks = marks_from(at); marks != 0)
            return chunk_ + at + std::countr_zero(marks);
        at = std::min(at + 64 - at % 8, chunk_size);  // of the next chunk nothing is known yet
    }
}

void string_marks::look_at_chunk() {
    const auto left = static_cast<std::size_t>(end_ - chunk_);
    const std::size_t size = std::min(chunk_size, left);
    find_(chunk_, size, bits_.data());
    if (size == left) bits_[(size - 1) / 8] |= static_cast<unsigned char>(1U << (size - 1) % 8);
    constexpr std::uint64_t none = 0;
    std::memcpy(&bits_[(size + block_size - 1) / block_size * 8], &none, sizeof none);
}

}  // namespace livelogd::protocol
