// SPDX-License-Identifier: MIT
// The statistics once more, in the plainest way: every line as a document tree, everything kept, nothing
// shared with what is tested. Reads only what stats_random_test.cpp makes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace livelogd::query::test {

using naive_counts = std::map<std::string, std::uint64_t>;

struct naive_stats {
    std::uint64_t total_logs = 0;
    std::uint64_t total_requests = 0;
    naive_counts endpoints;
    naive_counts methods;
    naive_counts status_codes;
    std::uint64_t total_errors = 0;
    naive_counts error_types;
    naive_counts error_endpoints;
    naive_counts error_status_codes;
    std::vector<double> durations;            ///< milliseconds, in the order of the log
    std::vector<std::string> duration_texts;  ///< as spelled
};

struct naive_window {
    std::int64_t begin_us = 0;
    std::int64_t zone_offset_s = 0;  ///< of times that tell none
    std::string type = "all";        ///< what the filter asks for: one word
};

/// The lines of each segment.
naive_stats count_naively(const std::vector<std::vector<std::string>>& segments, const naive_window& window);

/// Falling counts, ties by name, at most `most`, then the rest.
std::vector<std::pair<std::string, std::uint64_t>> shown(const naive_counts& counts, std::size_t most);

}  // namespace livelogd::query::test
