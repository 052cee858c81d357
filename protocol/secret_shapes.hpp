// SPDX-License-Identifier: MIT
// Which texts are secrets, told by their form: keys of known services, credentials in headers and addresses,
// private keys. Where each form is documented stands in docs/security.md and beside its rule.
#pragma once

#include "protocol/secret_anchors.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::protocol {

/// What a secret was recognised as.
enum class secret_rule : std::uint8_t {
    bearer,
    basic,
    openai,
    anthropic,
    google,
    github,
    gitlab,
    huggingface,
    groq,
    aws,
    slack,
    stripe,
    npm,
    jwt,
    private_key,
    url_token,
    url_password,
};
inline constexpr std::size_t secret_rule_count = static_cast<std::size_t>(secret_rule::url_password) + 1;

/// The names of the rules, in their order: what the operator calls them.
inline constexpr std::array<std::string_view, secret_rule_count> secret_rule_names{
    "bearer", "basic", "openai", "anthropic", "google", "github",      "gitlab",    "huggingface", "groq",
    "aws",    "slack", "stripe", "npm",       "jwt",    "private_key", "url_token", "url_password"};

/// The rule of that name.
std::optional<secret_rule> secret_rule_of(std::string_view name);

/// What takes a secret's place within a text.
inline constexpr std::string_view redacted_text = "[REDACTED]";

/// The part of a text that is secret: [begin, end). Both are at characters of ASCII, or at the text's end.
struct secret_span {
    std::size_t begin = 0;
    std::size_t end = 0;
    secret_rule rule = secret_rule::bearer;
};

/// A set of rules. Immutable after construction: may be shared between threads.
class secret_shapes {
  public:
    /// All rules.
    secret_shapes() : secret_shapes(std::vector<std::string>{}) {}
    /// All but those of these names; names of no rule say nothing.
    explicit secret_shapes(const std::vector<std::string>& except,
                           anchor_path path = available_anchor_paths().back());
    /// No rule.
    static secret_shapes none();

    [[nodiscard]] bool any() const { return enabled_ != 0; }

    /// Appends the secrets of `text` to `spans`, in order; they do not overlap. `text`: plain characters, no
    /// escapes. Takes time in proportion to the text, whatever it is.
    void find(std::string_view text, std::vector<secret_span>& spans) const;

    /// The first place from `from` on where find() might see the beginning of a secret, once the escapes of
    /// the JSON string around it are decoded; the size of `json` if there is none. One look at each place:
    /// most records have none.
    [[nodiscard]] std::size_t first_trace(std::string_view json, std::size_t from) const;

  private:
    [[nodiscard]] bool enabled(secret_rule rule) const {
        return (enabled_ >> static_cast<unsigned>(rule) & 1U) != 0;
    }

    anchor_finder finder_;
    std::uint32_t enabled_ = (1U << secret_rule_count) - 1;  ///< a bit for each rule
};

}  // namespace livelogd::protocol
