// SPDX-License-Identifier: MIT
// Secrets taken out of records, and seen in lines that are none.
#pragma once

#include "protocol/secret_shapes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::protocol {

/// How many values were redacted: by secret_rule, and, last, because of their keys.
using redaction_counts = std::array<std::uint64_t, secret_rule_count + 1>;
inline constexpr std::size_t redacted_by_key = secret_rule_count;

/// What a count is called in /metrics.
constexpr std::string_view redaction_name(std::size_t index) {
    return index < secret_rule_count ? secret_rule_names[index] : "key";
}

/// Takes secrets out of records; keeps its buffers between them. One thread at a time.
///
/// A secret is looked for in what a string says, not in how it is spelled: escapes are decoded, twice,
/// because a string often holds JSON itself. Keys are looked at like values.
class secret_redactor {
  public:
    /// `record`: valid JSON. What it becomes, or `record` itself if nothing was found; valid until the next
    /// call. Adds to `counts`.
    std::string_view redact(std::string_view record, const secret_shapes& shapes, redaction_counts& counts) {
        const std::size_t trace = shapes.any() ? shapes.first_trace(record, 0) : record.size();
        if (trace == record.size()) return record;
        used_ = true;
        return redact_from(trace, record, shapes, counts);
    }

    /// Whether a line that is no record shows a secret, as it is or behind escapes. `cut`: it is the
    /// beginning of a longer one, and may end within a secret. Adds to `counts`.
    bool shows_secret(std::string_view line, bool cut, const secret_shapes& shapes, redaction_counts& counts);

    /// Gives back what a long record needed. Between records only.
    void forget() {
        if (std::exchange(used_, false)) shrink();
    }

  private:
    /// Where a text came from: behind the character that ends at `decoded` of it, `spelled` bytes of what it
    /// was decoded from had been read.
    struct escape_end {
        std::size_t decoded;
        std::size_t spelled;
    };
    /// A text with its escapes decoded.
    struct decoding {
        std::string text;
        std::vector<escape_end> escapes;

        void read(std::string_view spelled);
        [[nodiscard]] std::size_t spelled_offset(std::size_t decoded) const;
    };

    std::string_view redact_from(std::size_t trace, std::string_view record, const secret_shapes& shapes,
                                 redaction_counts& counts);
    void find_in_string(std::string_view inner, const secret_shapes& shapes);
    void shrink();

    bool used_ = false;  ///< the buffers, since the last forget()
    std::string out_;
    std::vector<secret_span> spans_;
    decoding once_;
    decoding twice_;
};

}  // namespace livelogd::protocol
