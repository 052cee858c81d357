// SPDX-License-Identifier: MIT
// Goes through whole blocks of lines, many bytes at a time, and leaves those that may be wanted.
#pragma once

#include "daemon/filter/byte_marks.hpp"
#include "daemon/filter/text_traces.hpp"

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::filter {

/// A line of a block.
struct line_place {
    std::size_t begin = 0;   ///< its first byte in the block
    std::size_t size = 0;    ///< without LF
    std::size_t number = 0;  ///< how many lines of the block come before it
};

/// Immutable after construction: may be shared between threads. Takes time proportional to the block whatever
/// it holds.
class line_sieve {
  public:
    /// Leaves every line.
    line_sieve() = default;

    /// Leaves every line that has one of these traces, and few others.
    explicit line_sieve(const text_traces& traces);

    /// Whether it leaves every line, so that it is of no use.
    [[nodiscard]] bool leaves_all() const { return literals_.empty(); }

    /// Appends the lines that are left, in order, and returns how many lines the block has. `block`: whole
    /// lines, each with its LF.
    std::size_t pick(std::string_view block, std::vector<line_place>& left) const;

  private:
    struct literal {
        std::string bytes;
        byte_triple rarest;
    };
    class walk;

    [[nodiscard]] bool has_trace_at(std::string_view block, std::size_t place, std::size_t& compared) const;
    [[nodiscard]] bool has_escape_at(std::string_view rest) const;

    std::vector<literal> literals_;
    std::bitset<128> escaped_;
};

}  // namespace livelogd::filter
