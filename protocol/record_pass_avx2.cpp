// SPDX-License-Identifier: MIT
//
// The pass once more, for processors with AVX2. Only what depends on avx2_marks is compiled for them:
// everything else is included before, so that no function that the rest of the program shares is among it.
#include "protocol/json_grammar.hpp"
#include "protocol/json_walk.hpp"
#include "protocol/known_fields.hpp"
#include "protocol/limits.hpp"
#include "protocol/minified_output.hpp"
#include "protocol/redaction.hpp"
#include "protocol/string_marks.hpp"
#include "protocol/text.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi")
#endif

#include "protocol/record_pass.hpp"

namespace livelogd::protocol {
namespace {

struct avx2_marks {
    static constexpr std::size_t width = 32;
    static constexpr unsigned bits_a_byte = 1;

    static std::uint64_t of(const char* p) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        // Compared as signed numbers, what is above U+007F lies below the space too.
        const __m256i marks =
            _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')),
                                            _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'))),
                            _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes));
        return static_cast<std::uint32_t>(_mm256_movemask_epi8(marks));
    }
};

}  // namespace

constinit const pass_functions avx2_functions = functions_with<avx2_marks>();

}  // namespace livelogd::protocol

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
