// SPDX-License-Identifier: MIT
#include "daemon/http/request_counts.hpp"

#include <algorithm>
#include <utility>

namespace livelogd::http {

void duration_counts::add(duration took) {
    const auto whole = std::chrono::ceil<std::chrono::microseconds>(took).count();
    const auto microseconds = static_cast<std::uint64_t>(std::max<decltype(whole)>(whole, 0));
    const auto bucket = std::ranges::lower_bound(bounds, microseconds) - bounds.begin();
    buckets_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    microseconds_.fetch_add(microseconds, std::memory_order_relaxed);
}

duration_counts::sums duration_counts::now() const {
    sums read;
    for (std::size_t i = 0; i < buckets_.size(); ++i)
        read.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
    read.microseconds = microseconds_.load(std::memory_order_relaxed);
    return read;
}

std::size_t request_counts::add(std::string endpoint, bool measured) {
    auto fresh = std::make_unique<row>();
    fresh->endpoint = std::move(endpoint);
    if (measured) fresh->durations = std::make_unique<duration_counts>();
    rows_.push_back(std::move(fresh));
    return rows_.size() - 1;
}

void request_counts::answered(std::size_t number, unsigned status) {
    const auto place = std::ranges::find(codes, status) - codes.begin();
    rows_[number]->answers[static_cast<std::size_t>(place)].fetch_add(1, std::memory_order_relaxed);
}

void request_counts::took(std::size_t number, duration_counts::duration time) {
    if (auto* durations = rows_[number]->durations.get()) durations->add(time);
}

}  // namespace livelogd::http
