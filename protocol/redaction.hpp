// SPDX-License-Identifier: MIT
// Which keys name credentials.
#pragma once

#include "protocol/key_filter.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::protocol {

/// What a redacted value becomes, as JSON.
inline constexpr std::string_view redacted_value = "\"[REDACTED]\"";

/// The keys that are redacted unless the operator names others.
std::span<const std::string_view> default_redact_keys();

/// A set of key names, compared whole, case-insensitively (ASCII), with '-' and '_' alike.
/// Immutable after construction: may be shared between threads.
class redaction_keys {
  public:
    redaction_keys() : redaction_keys(default_redact_keys()) {}
    explicit redaction_keys(std::span<const std::string_view> names);
    explicit redaction_keys(std::span<const std::string> names);

    /// `key` with its escapes decoded.
    [[nodiscard]] bool matches(std::string_view key) const {
        return any_case_.may_hold(key) && is_one_of_names(key);
    }

    /// Whether bytes that are not valid JSON hold one of the names as a whole word (letters, digits, '-' and
    /// '_' make a word; dashes at its ends do not count; \uXXXX escapes are seen through). A name with other
    /// characters is found anywhere. When in doubt the answer is yes.
    [[nodiscard]] bool mentioned_in(std::string_view bytes) const;

  private:
    [[nodiscard]] bool is_one_of_names(std::string_view key) const;
    void add(std::string_view name);
    void finish();

    std::vector<std::string> names_;  ///< lower case, '-' as '_'; sorted
    key_filter any_case_;             ///< the same in all spellings of their ends
};

}  // namespace livelogd::protocol
