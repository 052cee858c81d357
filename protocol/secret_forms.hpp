// SPDX-License-Identifier: MIT
// What a text looks like around an anchor: the forms of docs/security.md, one function for each. A part of
// secret_shapes.
#pragma once

#include "protocol/secret_shapes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>

namespace livelogd::protocol {

/// Recognises the forms in one text.
class secret_forms {
  public:
    explicit secret_forms(std::string_view text) : text_(text) {}

    /// The secret that has an anchor at `at`, or nothing. Anchors are asked for in order.
    std::optional<secret_span> at_anchor(std::size_t at);

  private:
    std::optional<secret_span> keys_with_k(std::size_t at);
    std::optional<secret_span> prefixed(std::size_t begin, std::size_t prefix_size, secret_rule rule,
                                        std::size_t least, std::size_t most = no_limit);
    std::optional<secret_span> openai(std::size_t begin);
    std::optional<secret_span> aws(std::size_t begin);
    std::optional<secret_span> slack(std::size_t begin);
    std::optional<secret_span> stripe(std::size_t begin);
    std::optional<secret_span> jwt(std::size_t begin);
    std::optional<secret_span> private_key(std::size_t begin);
    std::optional<secret_span> bearer(std::size_t begin);
    std::optional<secret_span> basic(std::size_t begin);
    std::optional<secret_span> url_token(std::size_t sign);
    std::optional<secret_span> url_password(std::size_t sign);

    [[nodiscard]] bool begins(std::size_t at, std::string_view word) const {
        return text_.substr(std::min(at, text_.size())).starts_with(word);
    }
    [[nodiscard]] bool begins_word(std::size_t at) const;
    [[nodiscard]] std::size_t credential_begin(std::size_t begin, std::string_view scheme) const;
    [[nodiscard]] bool is_authorization(std::size_t scheme) const;

    /// What has been looked through to here for a rule, and found not to fit, is not looked at again.
    [[nodiscard]] std::size_t& seen_to(secret_rule rule) { return seen_[static_cast<std::size_t>(rule)]; }

    static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
    std::string_view text_;
    std::array<std::size_t, secret_rule_count> seen_{};
    std::size_t without_digit_to_ = 0;  ///< the same for parameters whose values must have one
};

/// Whether something might have an anchor at `at` in text whose escapes are not decoded. Yes when in doubt.
bool may_hold_secret(std::string_view json, std::size_t at);

}  // namespace livelogd::protocol
