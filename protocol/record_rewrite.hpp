// SPDX-License-Identifier: MIT
// What ingest does to the content of a record that has been read: secrets are taken out, bodies shortened.
// A part of scan_record().
#pragma once

#include "protocol/bodies.hpp"
#include "protocol/secret_redaction.hpp"

#include <string>
#include <string_view>

namespace livelogd::protocol {

/// The rules for it; what is null is not done.
struct content_rules {
    const secret_shapes* secrets = nullptr;
    const body_rules* bodies = nullptr;
    redaction_counts* counts = nullptr;  ///< added to, for whatever is redacted
};

/// Keeps its buffers between records. One thread at a time.
class record_rewriter {
  public:
    /// `record`: valid JSON. What it becomes, or `record` itself if nothing changes; valid until the next
    /// call.
    std::string_view rewrite(std::string_view record, const content_rules& rules) {
        // First the secrets: of one that has been cut the rest could not be recognised.
        if (rules.secrets != nullptr) {
            record =
                secrets_.redact(record, *rules.secrets, rules.counts != nullptr ? *rules.counts : uncounted_);
        }
        if (rules.bodies == nullptr || rules.bodies->how == body_logging::full) return record;
        shortened_.clear();
        return append_with_bodies(shortened_, record, *rules.bodies) ? std::string_view(shortened_) : record;
    }

    /// Gives back what a long record needed. Between records only.
    void forget() {
        constexpr std::size_t kept_capacity = std::size_t{64} * 1024;
        if (shortened_.capacity() > kept_capacity) std::string().swap(shortened_);
        secrets_.forget();
    }

  private:
    secret_redactor secrets_;
    redaction_counts uncounted_{};  ///< nobody reads them
    std::string shortened_;
};

}  // namespace livelogd::protocol
