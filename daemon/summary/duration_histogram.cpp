// SPDX-License-Identifier: MIT
#include "daemon/summary/duration_histogram.hpp"

#include <algorithm>
#include <bit>

namespace livelogd::summary {
namespace {

constexpr int precision_bits = 7;  // 128 buckets to an octave
constexpr std::uint64_t octave_buckets = std::uint64_t{1} << precision_bits;
constexpr std::uint64_t exact_values = 2 * octave_buckets;

/// A value keeps its leading precision_bits + 1 bits; the octave is how many bits it loses.
std::size_t bucket_of(std::uint64_t us) {
    if (us < exact_values) return us;
    const auto lost = static_cast<std::uint64_t>(std::bit_width(us) - (precision_bits + 1));
    return exact_values + (lost - 1) * octave_buckets + ((us >> lost) - octave_buckets);
}

std::uint64_t middle_of(std::size_t bucket) {
    if (bucket < exact_values) return bucket;
    const std::uint64_t lost = (bucket - exact_values) / octave_buckets + 1;
    const std::uint64_t leading = octave_buckets + (bucket - exact_values) % octave_buckets;
    return (leading << lost) + (std::uint64_t{1} << (lost - 1));
}

}  // namespace

void duration_histogram::add(std::uint64_t us) {
    const std::size_t bucket = bucket_of(us);
    if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
    ++buckets_[bucket];
    min_ = count_ == 0 ? us : std::min(min_, us);
    max_ = std::max(max_, us);
    ++count_;
}

void duration_histogram::merge(const duration_histogram& other) {
    if (other.count_ == 0) return;
    if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
    for (std::size_t i = 0; i < other.buckets_.size(); ++i)
        buckets_[i] += other.buckets_[i];
    min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    count_ += other.count_;
}

void duration_histogram::write(byte_writer& out) const {
    out.number(count_);
    if (count_ == 0) return;
    out.number(min_);
    out.number(max_);
    // Only buckets that hold something: how many are left out before it, and its count.
    std::size_t next = 0;
    std::uint64_t left = count_;
    for (std::size_t i = 0; left > 0; ++i) {
        if (buckets_[i] == 0) continue;
        out.number(i - next);
        out.number(buckets_[i]);
        next = i + 1;
        left -= buckets_[i];
    }
}

void duration_histogram::merge(byte_reader& in) {
    const std::uint64_t count = in.number();
    if (count == 0) return;
    const std::uint64_t min = in.number();
    const std::uint64_t max = in.number();
    const std::size_t size = bucket_of(max) + 1;
    if (size > buckets_.size()) buckets_.resize(size);
    std::size_t i = 0;
    for (std::uint64_t left = count; left > 0; ++i) {
        const std::uint64_t skipped = in.number();
        const std::uint64_t held = in.number();
        if (skipped >= size - i || held == 0 || held > left) throw damaged_summary();
        i += skipped;
        buckets_[i] += held;
        left -= held;
        if (left > 0 && i + 1 == size) throw damaged_summary();
    }
    min_ = count_ == 0 ? min : std::min(min_, min);
    max_ = std::max(max_, max);
    count_ += count;
}

std::uint64_t duration_histogram::percentile(unsigned percent) const {
    // ceil(count * percent / 100), in parts so that no count overflows.
    const std::uint64_t rank = count_ / 100 * percent + (count_ % 100 * percent + 99) / 100;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen >= rank) return std::clamp(middle_of(i), min_, max_);
    }
    return max_;
}

}  // namespace livelogd::summary
