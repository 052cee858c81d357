// SPDX-License-Identifier: MIT
// How often something may happen: so many times at once, then at a steady pace.
#pragma once

#include <algorithm>
#include <chrono>

namespace livelogd::base {

/// A token bucket. Pure: the caller says what time it is. Not for several threads at once.
class token_bucket {
  public:
    using time_point = std::chrono::steady_clock::time_point;
    using seconds = std::chrono::duration<double>;

    /// Full at first. `size`: how often at once; `pace`: the time in which one more is allowed.
    token_bucket(double size, seconds pace) : size_(size), pace_(pace), left_(size) {}

    /// How long to wait until the next one is allowed; zero if it is allowed now.
    [[nodiscard]] seconds wait(time_point now) const {
        const auto missing = 1 - left(now);
        return missing <= rounding ? seconds(0) : missing * pace_;
    }

    /// Takes one if there is one.
    bool take(time_point now) {
        left_ = left(now);
        at_ = now;
        if (left_ < 1 - rounding) return false;
        left_ = std::max(0.0, left_ - 1);
        return true;
    }

    [[nodiscard]] bool full(time_point now) const { return left(now) >= size_ - rounding; }

  private:
    static constexpr double rounding = 1e-6;

    [[nodiscard]] double left(time_point now) const {
        if (now <= at_) return left_;
        return std::min(size_, left_ + std::chrono::duration_cast<seconds>(now - at_) / pace_);
    }

    double size_;
    seconds pace_;
    double left_;
    time_point at_{};
};

}  // namespace livelogd::base
