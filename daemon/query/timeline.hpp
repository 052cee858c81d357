// SPDX-License-Identifier: MIT
// A window in equal parts, and what the records of each add up to.
#pragma once

#include "daemon/summary/record_sums.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace livelogd::query {

class timeline {
  public:
    /// [begin_us, end_us) in `parts` of the same length; microseconds since 1970. begin_us < end_us, parts
    /// >= 1.
    timeline(std::int64_t begin_us, std::int64_t end_us, std::size_t parts)
        : begin_us_(begin_us), end_us_(end_us), parts_(parts) {}

    /// The part that this time belongs to. What is later than the window counts to the last one.
    summary::overview& at(std::int64_t time_us) { return parts_[part_of(time_us)]; }

    [[nodiscard]] bool same_part(std::int64_t a_us, std::int64_t b_us) const {
        return part_of(a_us) == part_of(b_us);
    }

    /// Adds those of a timeline of the same window and parts.
    void merge(const timeline& other);

    [[nodiscard]] const std::vector<summary::overview>& parts() const { return parts_; }
    /// The first microsecond that belongs to part `i`.
    [[nodiscard]] std::int64_t start_of(std::size_t i) const;

  private:
    [[nodiscard]] std::size_t part_of(std::int64_t time_us) const;

    std::int64_t begin_us_;
    std::int64_t end_us_;
    std::vector<summary::overview> parts_;
};

}  // namespace livelogd::query
