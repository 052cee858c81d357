// SPDX-License-Identifier: MIT
// Percentiles of durations without keeping the durations.
#pragma once

#include "daemon/summary/byte_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace livelogd::summary {

/// Counts values (microseconds, below 2^63) in buckets: one for each value below 256, then 128 to an octave,
/// so that a bucket is less than 0.8 % wide. The result depends on the values alone, not on their order or on
/// how they were spread over histograms that were merged. At most 58 KiB; grows with the largest value.
class duration_histogram {
  public:
    void add(std::uint64_t us);
    void merge(const duration_histogram& other);

    void write(byte_writer& out) const;
    /// Adds the values of a histogram that was written.
    void merge(byte_reader& in);

    [[nodiscard]] std::uint64_t count() const { return count_; }

    /// The largest value, exactly. Only if there are values.
    [[nodiscard]] std::uint64_t max() const { return max_; }

    /// The smallest value such that at least `percent` (1 to 100) in a hundred values are not larger: exact
    /// below 256, else at most 0.4 % beside it, and never outside the values. Only if there are values.
    [[nodiscard]] std::uint64_t percentile(unsigned percent) const;

  private:
    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    std::uint64_t min_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace livelogd::summary
