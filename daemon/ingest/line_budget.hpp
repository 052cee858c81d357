// SPDX-License-Identifier: MIT
// The memory that half-received lines share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace livelogd::ingest {

/// Counts what connections hold of unfinished lines. While that is at the limit, only the line that began
/// first may grow: so one line after the other gets done, and memory stays within the limit and one line
/// more. Any thread.
class line_budget {
  public:
    explicit line_budget(std::size_t limit) : limit_(limit) {}

    /// The share of one connection; lives with it, used by one thread at a time.
    class share {
      public:
        explicit share(line_budget& budget) : budget_(budget) {}
        share(const share&) = delete;
        share& operator=(const share&) = delete;
        ~share() { set(0); }

        /// The connection's unfinished line has `bytes`; 0: it has none.
        void set(std::size_t bytes) {
            if (bytes == 0 && held_ == 0) return;
            const std::lock_guard lock(budget_.mutex_);
            if (bytes == 0) {
                budget_.lines_.erase(order_);
            } else if (held_ == 0) {
                order_ = budget_.next_order_++;
                budget_.lines_.emplace(order_, this);
            }
            budget_.held_ += bytes;
            budget_.held_ -= held_;
            held_ = bytes;
        }

        /// Whether the connection may read more of its line now. True for one without an unfinished line.
        [[nodiscard]] bool may_grow() const {
            if (held_ == 0) return true;
            const std::lock_guard lock(budget_.mutex_);
            return budget_.held_ < budget_.limit_ || budget_.lines_.begin()->second == this;
        }

      private:
        line_budget& budget_;
        std::size_t held_ = 0;
        std::uint64_t order_ = 0;
    };

    [[nodiscard]] bool scarce() const {
        const std::lock_guard lock(mutex_);
        return held_ >= limit_;
    }

  private:
    mutable std::mutex mutex_;
    const std::size_t limit_;
    std::size_t held_ = 0;
    std::uint64_t next_order_ = 0;
    std::map<std::uint64_t, const share*> lines_;  ///< unfinished lines, the one that began first in front
};

}  // namespace livelogd::ingest
