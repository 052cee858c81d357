// SPDX-License-Identifier: MIT
// What the micro benchmarks share: records from a file of make_records, and a clock around a piece of work.
#pragma once

#include "tests/bench/support.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct lines_of_file {
    std::string text;
    std::vector<std::string_view> lines;  ///< without LF; views into text

    explicit lines_of_file(const std::string& path) : text(read_file(path)) {
        const std::string_view all = text;
        for (std::size_t at = 0; at < all.size();) {
            const auto end = std::min(all.find('\n', at), all.size());
            lines.push_back(all.substr(at, end - at));
            at = end + 1;
        }
    }
    lines_of_file(const lines_of_file&) = delete;
    lines_of_file& operator=(const lines_of_file&) = delete;
};

/// Keeps the compiler from leaving out what makes `value`.
template <class Value>
void use(const Value& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

/// The best of ten times `work`, as a line: nanoseconds of each of `items`, and GB/s if it goes through
/// `bytes`.
template <class Work>
void measure(const std::string& name, std::size_t items, std::size_t bytes, Work work) {
    auto best = std::numeric_limits<std::uint64_t>::max();
    for (int run = 0; run < 10; ++run) {
        const auto begun = now_ns();
        work();
        best = std::min(best, now_ns() - begun);
    }
    std::printf("%-44s %12.1f ns", name.c_str(), static_cast<double>(best) / static_cast<double>(items));
    if (bytes > 0) std::printf(" %8.2f GB/s", static_cast<double>(bytes) / static_cast<double>(best));
    std::printf("\n");
}

}  // namespace bench
