// SPDX-License-Identifier: MIT
#include "daemon/base/line_count.hpp"

#include <algorithm>
#include <array>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace livelogd::base {
namespace {

std::size_t count_plainly(std::string_view bytes) {
    return static_cast<std::size_t>(std::ranges::count(bytes, '\n'));
}

#ifdef __x86_64__

// Comparing gives -1 in each byte that is an LF; taken away from a sum of bytes, that counts it. A byte holds
// 255 of them before the sums have to be added up.
constexpr std::size_t most_steps = 255;

std::size_t count_sse2(std::string_view bytes) {
    constexpr std::size_t step = sizeof(__m128i);
    const __m128i line_end = _mm_set1_epi8('\n');
    const char* p = bytes.data();
    std::size_t left = bytes.size();
    std::size_t count = 0;
    while (left >= step) {
        const std::size_t steps = std::min(left / step, most_steps);
        __m128i sums = _mm_setzero_si128();
        for (std::size_t i = 0; i < steps; ++i, p += step)
            sums = _mm_sub_epi8(
                sums, _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), line_end));
        left -= steps * step;
        const __m128i halves = _mm_sad_epu8(sums, _mm_setzero_si128());
        count += static_cast<std::size_t>(_mm_cvtsi128_si64(halves))
                 + static_cast<std::size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves)));
    }
    return count + count_plainly({p, left});
}

[[gnu::target("avx2")]] std::size_t count_avx2(std::string_view bytes) {
    // Two sums, so that the additions of one need not wait for those of the other.
    constexpr std::size_t step = 2 * sizeof(__m256i);
    const __m256i line_end = _mm256_set1_epi8('\n');
    const char* p = bytes.data();
    std::size_t left = bytes.size();
    std::size_t count = 0;
    while (left >= step) {
        const std::size_t steps = std::min(left / step, most_steps);
        __m256i even = _mm256_setzero_si256();
        __m256i odd = _mm256_setzero_si256();
        for (std::size_t i = 0; i < steps; ++i, p += step) {
            const auto* const at = reinterpret_cast<const __m256i*>(p);
            even = _mm256_sub_epi8(even, _mm256_cmpeq_epi8(_mm256_loadu_si256(at), line_end));
            odd = _mm256_sub_epi8(odd, _mm256_cmpeq_epi8(_mm256_loadu_si256(at + 1), line_end));
        }
        left -= steps * step;
        const __m256i none = _mm256_setzero_si256();
        const __m256i both = _mm256_add_epi64(_mm256_sad_epu8(even, none), _mm256_sad_epu8(odd, none));
        alignas(sizeof(__m256i)) std::array<std::size_t, 4> parts{};
        _mm256_store_si256(reinterpret_cast<__m256i*>(parts.data()), both);
        count += parts[0] + parts[1] + parts[2] + parts[3];
    }
    return count + count_sse2({p, left});
}

constexpr std::array counters{line_counter{"plain", count_plainly}, line_counter{"sse2", count_sse2},
                              line_counter{"avx2", count_avx2}};

#else

constexpr std::array counters{line_counter{"plain", count_plainly}};

#endif

std::span<const line_counter> usable_counters() {
    std::span<const line_counter> usable(counters);
#ifdef __x86_64__
    if (!__builtin_cpu_supports("avx2")) usable = usable.first(usable.size() - 1);
#endif
    return usable;
}

}  // namespace

std::span<const line_counter> line_counters() {
    static const std::span<const line_counter> usable = usable_counters();
    return usable;
}

std::size_t count_line_ends(std::string_view bytes) {
    return line_counters().back().count(bytes);
}

}  // namespace livelogd::base
