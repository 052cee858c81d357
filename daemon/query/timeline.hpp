// SPDX-License-Identifier: MIT
// A window in equal parts, and what the records of each add up to.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/query/llm_totals.hpp"
#include "protocol/level.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace livelogd::query {

class timeline {
  public:
    /// [begin_us, end_us) in `parts` of the same length; microseconds since 1970. begin_us < end_us, parts
    /// >= 1.
    timeline(std::int64_t begin_us, std::int64_t end_us, std::size_t parts)
        : begin_us_(begin_us), end_us_(end_us), parts_(parts) {}

    /// One part. What is later than the window counts to the last one.
    struct part {
        std::uint64_t total = 0;
        std::array<std::uint64_t, 6> levels{};  ///< by protocol::level
        std::uint64_t requests = 0;
        std::uint64_t errors = 0;
        duration_histogram durations;            ///< of responses, microseconds
        std::map<std::size_t, llm_sums> models;  ///< by their numbers in llm_totals
    };
    part& at(std::int64_t time_us);

    /// Appends the array that the answer holds.
    void append_text(std::string& out, const llm_totals& models, const base::time_zone& zone) const;

  private:
    [[nodiscard]] std::int64_t start_of(std::size_t i) const;

    std::int64_t begin_us_;
    std::int64_t end_us_;
    std::vector<part> parts_;
};

}  // namespace livelogd::query
