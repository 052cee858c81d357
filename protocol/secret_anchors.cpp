// SPDX-License-Identifier: MIT
//
// With vectors a byte is looked up by its two halves: a table of 16 for each half tells which rows have a
// character with that half in their set, and the two answers are joined. So a row's sets grow by characters
// that no set names ("sk-" also marks "sk/"), which costs a second look there and no more.
#include "protocol/secret_anchors.hpp"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace livelogd::protocol {
namespace {

constexpr std::size_t row_reach = 2;  ///< bytes behind a place that a row looks at

/// By the lower half of a byte and by the higher: which rows' sets have such a character.
struct half_tables {
    std::array<std::array<std::uint8_t, 16>, 3> low{};
    std::array<std::array<std::uint8_t, 16>, 3> high{};
};

constexpr half_tables halves = [] {
    half_tables result;
    for (std::size_t row = 0; row < anchor_rows.size(); ++row)
        for (std::size_t i = 0; i < 3; ++i)
            for (const char c : anchor_rows[row].sets[i]) {
                const auto bit = static_cast<std::uint8_t>(1U << row);
                result.low[i][static_cast<unsigned char>(c) & 15U] |= bit;
                result.high[i][static_cast<unsigned char>(c) >> 4U] |= bit;
            }
    return result;
}();

/// The marks of one block; reads row_reach bytes more.
using block_marks = std::uint64_t (*)(const char* block);

constexpr bool is_sign(char c) {
    return c == '=' || c == '@';
}

template <block_marks marks_of>
[[gnu::always_inline]] inline const char* find_anchors(const char* begin, const char* p, const char* end,
                                                       std::uint64_t& marks) {
    constexpr std::size_t touched = anchor_block + row_reach;
    for (; static_cast<std::size_t>(end - p) >= touched; p += anchor_block) {
        marks = marks_of(p);
        if (marks != 0) return p;
    }
    // No row begins in the last bytes, and none behind the end are to be read.
    for (; p < end; p += std::min<std::ptrdiff_t>(anchor_block, end - p)) {
        const auto left = static_cast<std::size_t>(end - p);
        const std::size_t rows = left > row_reach ? left - row_reach : 0;
        marks = 0;
        if (rows > 0 && static_cast<std::size_t>(end - begin) >= touched) {
            // Once more over bytes that have been looked at.
            marks = marks_of(end - touched) >> (anchor_block - rows);
        } else if (rows > 0) {
            std::array<char, touched> alone{};  // no set holds a zero
            std::memcpy(alone.data(), p, left);
            marks = marks_of(alone.data());
        }
        for (std::size_t i = rows; i < std::min(left, anchor_block); ++i)
            if (is_sign(p[i])) marks |= std::uint64_t{1} << i;
        if (marks != 0) return p;
    }
    return end;
}

/// For every processor: one look into a table for each byte of a row.
namespace portable {

/// A ninth bit: an anchor of one byte.
constexpr std::uint16_t sign = 1U << anchor_rows.size();

constexpr std::array<std::array<std::uint16_t, 256>, 3> whole = [] {
    std::array<std::array<std::uint16_t, 256>, 3> result{};
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t byte = 0; byte < 256; ++byte) {
            if (byte < 128) result[i][byte] = halves.low[i][byte & 15U] & halves.high[i][byte >> 4U];
            if (i > 0 || byte == '=' || byte == '@') result[i][byte] |= sign;
        }
    return result;
}();

inline unsigned anchors_at(const char* p) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(p);
    return whole[0][bytes[0]] & whole[1][bytes[1]] & whole[2][bytes[2]];
}

inline std::uint64_t marks_of(const char* block) {
    unsigned any = 0;
    for (unsigned i = 0; i < anchor_block; ++i)
        any |= anchors_at(block + i);
    std::uint64_t marks = 0;
    if (any != 0)
        for (unsigned i = 0; i < anchor_block; ++i)
            marks |= std::uint64_t{anchors_at(block + i) != 0} << i;
    return marks;
}

const char* find(const char* begin, const char* p, const char* end, std::uint64_t& marks) {
    return find_anchors<marks_of>(begin, p, end, marks);
}

}  // namespace portable

#if defined(__x86_64__)

namespace ssse3 {

#define LIVELOGD_FOR_SSSE3 gnu::target("ssse3")

[[LIVELOGD_FOR_SSSE3]] inline __m128i table(const std::array<std::uint8_t, 16>& of) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(of.data()));
}

/// Which rows have each of sixteen bytes in their set `i`. Of a byte above 127 the lower table gives none.
[[LIVELOGD_FOR_SSSE3]] inline __m128i rows_of(const char* p, std::size_t i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
    return _mm_and_si128(_mm_shuffle_epi8(table(halves.low[i]), bytes),
                         _mm_shuffle_epi8(table(halves.high[i]), high));
}

[[LIVELOGD_FOR_SSSE3]] inline std::uint64_t marks_of_sixteen(const char* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i rows = _mm_and_si128(_mm_and_si128(rows_of(p, 0), rows_of(p, 1)), rows_of(p, 2));
    const __m128i signs =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('=')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('@')));
    const __m128i none = _mm_cmpeq_epi8(_mm_or_si128(rows, signs), _mm_setzero_si128());
    return static_cast<std::uint16_t>(~_mm_movemask_epi8(none));
}

[[LIVELOGD_FOR_SSSE3]] inline std::uint64_t marks_of(const char* block) {
    return marks_of_sixteen(block) | marks_of_sixteen(block + 16) << 16 | marks_of_sixteen(block + 32) << 32
           | marks_of_sixteen(block + 48) << 48;
}

[[LIVELOGD_FOR_SSSE3]] const char* find(const char* begin, const char* p, const char* end,
                                        std::uint64_t& marks) {
    return find_anchors<marks_of>(begin, p, end, marks);
}

#undef LIVELOGD_FOR_SSSE3

}  // namespace ssse3

namespace avx2 {

#define LIVELOGD_FOR_AVX2 gnu::target("avx2,bmi")

[[LIVELOGD_FOR_AVX2]] inline __m256i table(const std::array<std::uint8_t, 16>& of) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(of.data())));
}

[[LIVELOGD_FOR_AVX2]] inline __m256i rows_of(const char* p, std::size_t i) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + i));
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    return _mm256_and_si256(_mm256_shuffle_epi8(table(halves.low[i]), bytes),
                            _mm256_shuffle_epi8(table(halves.high[i]), high));
}

/// Not zero where there is an anchor.
[[LIVELOGD_FOR_AVX2]] inline __m256i anchors_of_half(const char* p) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i rows = _mm256_and_si256(_mm256_and_si256(rows_of(p, 0), rows_of(p, 1)), rows_of(p, 2));
    const __m256i signs = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('=')),
                                          _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('@')));
    return _mm256_or_si256(rows, signs);
}

[[LIVELOGD_FOR_AVX2]] inline std::uint32_t bits_of(__m256i anchors) {
    const __m256i none = _mm256_cmpeq_epi8(anchors, _mm256_setzero_si256());
    return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(none));
}

[[LIVELOGD_FOR_AVX2]] inline std::uint64_t marks_of(const char* block) {
    const __m256i first = anchors_of_half(block);
    const __m256i second = anchors_of_half(block + 32);
    const __m256i either = _mm256_or_si256(first, second);
    if (_mm256_testz_si256(either, either) != 0) return 0;
    return bits_of(first) | std::uint64_t{bits_of(second)} << 32;
}

[[LIVELOGD_FOR_AVX2]] const char* find(const char* begin, const char* p, const char* end,
                                       std::uint64_t& marks) {
    return find_anchors<marks_of>(begin, p, end, marks);
}

#undef LIVELOGD_FOR_AVX2

}  // namespace avx2

#endif

}  // namespace

std::span<const anchor_path> available_anchor_paths() {
    static constexpr std::array paths{anchor_path::portable, anchor_path::ssse3, anchor_path::avx2};
#if defined(__x86_64__)
    static const std::size_t count = __builtin_cpu_supports("avx2")    ? 3
                                     : __builtin_cpu_supports("ssse3") ? 2
                                                                       : 1;
    return std::span(paths).first(count);
#else
    return std::span(paths).first(1);
#endif
}

anchor_finder anchor_finder_of(anchor_path path) {
#if defined(__x86_64__)
    if (path == anchor_path::avx2) return avx2::find;
    if (path == anchor_path::ssse3) return ssse3::find;
#endif
    static_cast<void>(path);
    return portable::find;
}

}  // namespace livelogd::protocol
