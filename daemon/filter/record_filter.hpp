// SPDX-License-Identifier: MIT
// Which records a reader asked for. One filter, compiled once, for everything that reads records.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/filter/facet.hpp"
#include "daemon/filter/filter_error.hpp"
#include "daemon/filter/filter_words.hpp"
#include "daemon/filter/line_sieve.hpp"
#include "daemon/filter/record_view.hpp"
#include "daemon/filter/time_window.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace livelogd::filter {

/// A value, cheap to copy: copies share what was compiled, which is immutable. Any thread.
class record_filter {
  public:
    /// Lets everything through.
    record_filter();

    /// `now_us`: what ages in `since` and `until` count from, microseconds since 1970 UTC. `zone`: of times
    /// there that name none. Throws filter_error.
    record_filter(const filter_words& words, std::int64_t now_us, const base::time_zone& zone);

    /// Whether there is nothing to ask of a record, not even its time.
    [[nodiscard]] bool passes_everything() const;

    /// Whether it asks for nothing but times: matches() is true for all records.
    [[nodiscard]] bool asks_only_times() const;

    /// Whether it asks for request or response records by name, which `log_api_calls = false` leaves out of
    /// the log.
    [[nodiscard]] bool asks_for_api_calls() const;

    /// Whether it lets error records through alone: level ERROR or above, or a status of 400 or above.
    [[nodiscard]] bool asks_for_errors() const;

    /// Whether the digest is not enough: matching may then take long, and is not for an I/O thread.
    [[nodiscard]] bool needs_line() const;

    /// What `since` and `until` come to: the earlier since, the later until. matches() does not look at it:
    /// only the caller knows the time of a record that tells none.
    [[nodiscard]] const time_window& window() const;

    /// What goes through whole blocks of lines, and leaves out most of those that matches() would not let
    /// through, none that it would.
    [[nodiscard]] const line_sieve& sieve() const;

    /// Two filters with equal keys let the same records through.
    [[nodiscard]] const std::string& key() const;

    [[nodiscard]] bool matches(const record_view& record) const;

    /// Two records as one: a term holds if it holds for one of them, a negated one if for neither.
    [[nodiscard]] bool matches_pair(const record_view& a, const record_view& b) const;

  private:
    struct state;
    static std::shared_ptr<const state> compile(const filter_words& words, std::int64_t now_us,
                                                const base::time_zone& zone);

    std::shared_ptr<const state> state_;  ///< never null
};

}  // namespace livelogd::filter
