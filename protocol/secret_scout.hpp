// SPDX-License-Identifier: MIT
// Looks for traces of secrets in many lines at once: most blocks have none, and one look that goes on is half
// the work of one that begins anew with each line.
#pragma once

#include "protocol/secret_shapes.hpp"

#include <cstddef>
#include <functional>
#include <string_view>

namespace livelogd::protocol {

class secret_scout {
  public:
    /// Both must outlive the questions that follow.
    secret_scout(const secret_shapes& shapes, std::string_view block) : shapes_(shapes), block_(block) {}

    /// False if there is no secret in the record that `line` is, nor in what is stored of it. The lines of
    /// the block in their order; of any other the answer is true.
    ///
    /// White space that is left out of the stored record makes no difference: a trace, and what is looked at
    /// around it, lies within a string.
    bool may_hold_secret(std::string_view line) {
        if (!shapes_.any()) return false;
        if (!is_part(line)) return true;
        const auto begin = static_cast<std::size_t>(line.data() - block_.data());
        if (!looked_ || trace_ < begin) trace_ = shapes_.first_trace(block_, begin);
        looked_ = true;
        return trace_ < begin + line.size();
    }

  private:
    [[nodiscard]] bool is_part(std::string_view line) const {
        constexpr std::less_equal<const char*> before;
        return before(block_.data(), line.data())
               && before(line.data() + line.size(), block_.data() + block_.size());
    }

    const secret_shapes& shapes_;
    std::string_view block_;
    std::size_t trace_ = 0;  ///< the first one from the last line on that was asked about
    bool looked_ = false;
};

}  // namespace livelogd::protocol
