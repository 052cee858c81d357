// SPDX-License-Identifier: MIT
#include "daemon/query/timeline.hpp"

namespace livelogd::query {

using summary::wide_count;

std::size_t timeline::part_of(std::int64_t time_us) const {
    if (time_us <= begin_us_) return 0;
    if (time_us >= end_us_) return parts_.size() - 1;
    const auto gone = wide_count{static_cast<std::uint64_t>(time_us) - static_cast<std::uint64_t>(begin_us_)};
    const auto span = static_cast<std::uint64_t>(end_us_) - static_cast<std::uint64_t>(begin_us_);
    return static_cast<std::size_t>(gone * parts_.size() / span);
}

void timeline::merge(const timeline& other) {
    for (std::size_t i = 0; i < parts_.size(); ++i)
        parts_[i].merge(other.parts_[i]);
}

std::int64_t timeline::start_of(std::size_t i) const {
    const auto span = static_cast<std::uint64_t>(end_us_) - static_cast<std::uint64_t>(begin_us_);
    const auto gone = (wide_count{span} * i + parts_.size() - 1) / parts_.size();
    return begin_us_ + static_cast<std::int64_t>(gone);
}

}  // namespace livelogd::query
