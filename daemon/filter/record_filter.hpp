// SPDX-License-Identifier: MIT
// Which records a reader asked for. One filter, compiled once, for stream, recent and stats.
#pragma once

#include "protocol/record_digest.hpp"
#include "protocol/scan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace livelogd::filter {

/// Immutable after construction: may be shared between threads.
class record_filter {
  public:
    /// Lets everything through.
    record_filter() = default;

    /// `types`: the values of the parameter `type`, as given; a record passes if one of them fits it:
    /// `all`, `api` (request or response), `errors` (see protocol::is_error_record), else exactly that type.
    /// None: everything passes. Throws std::invalid_argument, with a sentence, for a value nobody can mean
    /// ("").
    explicit record_filter(const std::vector<std::string>& types);

    [[nodiscard]] bool passes_everything() const { return all_; }

    /// Whether it asks for request or response records by name, which `log_api_calls = false` leaves out of
    /// the log.
    [[nodiscard]] bool asks_for_api_calls() const { return asks_for_api_; }

    /// A record that has just been scanned.
    [[nodiscard]] bool matches(const protocol::record_fields& fields) const;

    /// A record of which the digest is at hand. `line`: its stored bytes, read only if the digest is not
    /// enough.
    [[nodiscard]] bool matches(std::string_view line, const protocol::record_digest& digest) const;

  private:
    [[nodiscard]] bool type_passes(std::string_view type) const;

    bool all_ = true;
    bool errors_ = false;
    bool asks_for_api_ = false;
    std::vector<std::string> types_;
};

}  // namespace livelogd::filter
