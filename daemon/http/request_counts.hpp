// SPDX-License-Identifier: MIT
// How often each endpoint has been asked, what came of it, and how long queries took.
#pragma once

#include "daemon/http/refusal.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace livelogd::http {

/// How long something took, in buckets. Any thread.
class duration_counts {
  public:
    using duration = std::chrono::steady_clock::duration;

    /// The upper ends of the buckets, microseconds, each included. What is longer is in one more bucket.
    static constexpr std::array<std::uint64_t, 13> bounds{1'000,     2'500,     5'000,     10'000,  25'000,
                                                          50'000,    100'000,   250'000,   500'000, 1'000'000,
                                                          2'500'000, 5'000'000, 10'000'000};

    void add(duration took);

    struct sums {
        std::array<std::uint64_t, bounds.size() + 1> buckets{};  ///< each for itself, not added up
        std::uint64_t microseconds = 0;
    };
    [[nodiscard]] sums now() const;

  private:
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> buckets_{};
    std::atomic<std::uint64_t> microseconds_{0};
};

/// One row for each endpoint, and one for everything else that is asked. Rows are added before the first
/// request; then any thread.
class request_counts {
  public:
    /// The status codes that are told apart; others are counted as one.
    static constexpr std::array<unsigned, 18> codes{200, 204, 302, 303, 304, 400, 401, 403, 404,
                                                    405, 408, 411, 413, 414, 429, 431, 500, 503};
    static constexpr std::size_t code_count = codes.size() + 1;  ///< the last: any other

    struct row {
        std::string endpoint;
        std::array<std::atomic<std::uint64_t>, code_count> answers{};
        std::unique_ptr<duration_counts> durations;  ///< null: they are not measured
    };

    request_counts() { add("other", false); }

    /// Rows are numbered in the order in which they are added; number 0 is that of everything else.
    std::size_t add(std::string endpoint, bool measured);

    void answered(std::size_t number, unsigned status);
    void took(std::size_t number, duration_counts::duration time);

    /// A request was not let in.
    void refused(refusal why) {
        refusals_[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
    }
    /// How many were not, in the order of refusal_names.
    [[nodiscard]] const std::array<std::atomic<std::uint64_t>, refusal_names.size()>& refusals() const {
        return refusals_;
    }

    [[nodiscard]] const std::vector<std::unique_ptr<row>>& rows() const { return rows_; }

  private:
    std::vector<std::unique_ptr<row>> rows_;
    std::array<std::atomic<std::uint64_t>, refusal_names.size()> refusals_{};
};

}  // namespace livelogd::http
