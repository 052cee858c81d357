// SPDX-License-Identifier: MIT
// Sums of many segments together, so that a window of thousands is not added up anew for everyone who asks.
#pragma once

#include "daemon/summary/segment_summary.hpp"
#include "protocol/record_id.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace livelogd::summary {

/// Remembers what consecutive segments, a run, add up to. Any thread; a part of `summaries`.
///
/// Where a run ends is told by the segment itself, so that the runs stay the same while segments come at the
/// one end of the log and go at the other, and whatever part of it is asked for.
class summary_runs {
  public:
    static constexpr std::size_t usual_length = 32;

    /// `length`: segments of a run, on average. `most_bytes`: of the sums that are remembered.
    explicit summary_runs(std::size_t length = usual_length, std::size_t most_bytes = std::size_t{4} << 20)
        : length_(length), most_bytes_(most_bytes) {}

    /// Whether a run ends with the segment that begins with this id.
    [[nodiscard]] bool ends_with(protocol::record_id first_id) const;

    /// What these segments add up to, as record_sums writes it; null if that is not remembered.
    [[nodiscard]] std::shared_ptr<const std::string> find(std::span<const shared_summary> segments);
    void remember(std::span<const shared_summary> segments, std::shared_ptr<const std::string> sums);

  private:
    struct run {
        /// The same objects, not merely ones at the same addresses: a segment whose file has changed has
        /// another summary.
        std::vector<std::weak_ptr<const segment_summary>> segments;
        std::shared_ptr<const std::string> sums;
        [[nodiscard]] bool is_of(std::span<const shared_summary> asked) const;
        [[nodiscard]] std::size_t memory() const;
    };

    const std::size_t length_;
    const std::size_t most_bytes_;
    std::mutex mutex_;     ///< of what follows
    std::list<run> runs_;  ///< most recently used first
    std::size_t bytes_ = 0;
};

}  // namespace livelogd::summary
