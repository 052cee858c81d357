// SPDX-License-Identifier: MIT
// What a value must be.
#pragma once

#include "daemon/filter/pattern.hpp"
#include "daemon/filter/query_syntax.hpp"
#include "daemon/filter/text_traces.hpp"
#include "protocol/json_token.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace livelogd::filter {

/// Compares scalars: a string by its characters, a number, a boolean and null as they are spelled. Any
/// thread.
class value_test {
  public:
    /// `value`: of any form but `anything`. Throws pattern_error.
    explicit value_test(syntax::value value);

    [[nodiscard]] bool holds(std::string_view characters) const;

    /// Objects, arrays and what is absent fail.
    [[nodiscard]] bool holds(const protocol::json_token& token) const;

    /// Whether something else than a string with at least one character could pass.
    [[nodiscard]] bool may_hold_without_characters() const;

    /// What a record shows in its line that has such a value.
    [[nodiscard]] text_traces traces(text_traces::worth w = text_traces::worth::value) const;

    /// The same, of a value that may stand in JSON within a string.
    [[nodiscard]] text_traces nested_traces() const;

    [[nodiscard]] bool has_pattern() const { return pattern_.has_value(); }

    /// Equal for equal tests, and for these only.
    [[nodiscard]] std::string key() const;

  private:
    syntax::value value_;
    std::optional<pattern> pattern_;
};

/// A text in double quotes, so that texts put together in a key stay apart.
std::string quoted_key(std::string_view text);

}  // namespace livelogd::filter
