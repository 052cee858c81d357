// SPDX-License-Identifier: MIT
// Regular expressions, from anybody, in bounded time and memory.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace livelogd::filter {

/// An expression that cannot be used; what() says why, as the rest of a sentence.
class pattern_error : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

/// One RE2 expression. A value, cheap to copy; any thread. Matching takes time proportional to the text, and
/// at most 1 MiB of memory, which copies share.
class pattern {
  public:
    /// Throws pattern_error.
    explicit pattern(std::string_view expression);

    /// Whether it matches somewhere in `text`, which must be UTF-8.
    [[nodiscard]] bool matches_in(std::string_view text) const;

  private:
    std::shared_ptr<const re2::RE2> expression_;
};

}  // namespace livelogd::filter
