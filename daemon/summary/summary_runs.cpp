// SPDX-License-Identifier: MIT
#include "daemon/summary/summary_runs.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace livelogd::summary {
namespace {

/// Spreads ids, which are times, evenly: the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t spread(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

}  // namespace

bool summary_runs::ends_with(protocol::record_id first_id) const {
    return spread(first_id) % length_ == 0;
}

bool summary_runs::run::is_of(std::span<const shared_summary> asked) const {
    return std::ranges::equal(segments, asked, [](const auto& mine, const shared_summary& theirs) {
        return !mine.owner_before(theirs) && !theirs.owner_before(mine);
    });
}

std::size_t summary_runs::run::memory() const {
    return sizeof *this + segments.capacity() * sizeof(segments.front()) + sums->capacity();
}

std::shared_ptr<const std::string> summary_runs::find(std::span<const shared_summary> segments) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(runs_, [&](const run& one) { return one.is_of(segments); });
    if (found == runs_.end()) return nullptr;
    runs_.splice(runs_.begin(), runs_, found);
    return found->sums;
}

void summary_runs::remember(std::span<const shared_summary> segments,
                            std::shared_ptr<const std::string> sums) {
    run fresh{{segments.begin(), segments.end()}, std::move(sums)};
    const std::lock_guard lock(mutex_);
    bytes_ += fresh.memory();
    runs_.push_front(std::move(fresh));
    while (bytes_ > most_bytes_ && runs_.size() > 1) {
        bytes_ -= runs_.back().memory();
        runs_.pop_back();
    }
}

}  // namespace livelogd::summary
