// SPDX-License-Identifier: MIT
// scan_record(): the one door through which the bytes of a record are read.
//
// It validates a line as one JSON object (RFC 8259, UTF-8, nested at most max_nesting deep) and notes where
// the fields stand that the daemon knows. At ingest it also writes the line as it is stored: the sender's
// bytes less the white space outside strings, credentials redacted, a timestamp added where there is none.
// What it never does is to print a value that it parsed: a number keeps its spelling, a string its escapes,
// an object its duplicate keys.
#pragma once

#include "protocol/json_token.hpp"
#include "protocol/minified_output.hpp"
#include "protocol/record_rewrite.hpp"
#include "protocol/redaction.hpp"
#include "protocol/string_marks.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace livelogd::protocol {

/// The fields that ingest asks for, as spelled; of duplicate keys the last one.
struct digest_fields {
    json_token level;
    json_token type;
    json_token status_code;
};

/// Members of a record, in the order of the record.
class few_members {
  public:
    struct member {
        std::string_view key;  ///< as spelled, without its quotes
        json_token value;
    };

    void clear() {
        count_ = 0;
        all_ = true;
    }
    void add(const member& one) {
        if (count_ < members_.size()) {
            members_[count_++] = one;
        } else {
            all_ = false;
        }
    }
    /// False if there were more than these.
    [[nodiscard]] bool all() const { return all_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::span<const member> members() const { return {members_.data(), count_}; }

  private:
    std::array<member, 8> members_;
    std::size_t count_ = 0;
    bool all_ = true;
};

/// All fields of a record that the daemon understands. The views point into the scanned line.
struct record_fields : digest_fields {
    json_token timestamp;
    json_token request_id;
    json_token method;
    json_token endpoint;
    json_token duration_ms;
    json_token error_type;
    json_token exception_type;       ///< "exception.type", flat, or {"exception":{"type":…}}; flat first
    json_token error_dot_type;       ///< "error.type", flat, or {"error":{"type":…}}; flat first
    json_token response_error_type;  ///< {"response_body":{"error_type":…}}

    // Where llm_fields looks, so that it is spared a second walk over the record.
    json_token request_body;
    json_token response_body;
    json_token attributes;
    few_members llm;  ///< at least those of the record's other members whose keys are in docs/llm-fields.md
};

/// Why a line is not a record.
struct scan_error {
    std::size_t at = 0;  ///< bytes of the line before the place where reading stopped
    std::string reason;  ///< what is wrong there, without the place
};

/// What ingest does to a record besides storing it.
struct intake_rules {
    const redaction_keys* redact = nullptr;  ///< none: nothing is redacted
    std::string_view timestamp;              ///< put in front, as a JSON string without quotes, where missing
    content_rules content = {};              ///< secrets and bodies
};

/// Reads records; keeps its buffers between them. One thread at a time.
class record_scanner {
  public:
    explicit record_scanner(scan_path path = available_scan_paths().back());

    /// Reads a line (without its LF). On success fills `fields`, with views into `line`.
    [[nodiscard]] std::optional<scan_error> scan_record(std::string_view line, record_fields& fields);

    /// Reads a line and appends what is stored (without LF) to `out`. The views in `fields` point into `out`
    /// and end with the next change of it. On error `out` is as it was.
    [[nodiscard]] std::optional<scan_error> scan_record(std::string_view line, const intake_rules& rules,
                                                        std::string& out, digest_fields& fields);

  private:
    void forget();

    mark_finder find_;
    minified_output output_;
    record_rewriter rewriter_;
    std::string key_;  ///< a key with its escapes decoded
};

/// Whether `text` is one JSON value of any kind, held to what is asked of a record: UTF-8, nested at most
/// max_nesting deep, nothing around it but white space. For JSON that is found in a record's strings.
[[nodiscard]] bool is_json(std::string_view text);

}  // namespace livelogd::protocol
