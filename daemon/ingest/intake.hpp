// SPDX-License-Identifier: MIT
// Bytes of one connection in, a batch of records out. No sockets.
#pragma once

#include "daemon/ingest/accounting.hpp"
#include "daemon/ingest/acknowledged_lines.hpp"
#include "daemon/ingest/policy.hpp"
#include "daemon/storage/record_batch.hpp"
#include "protocol/framer.hpp"
#include "protocol/scan.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace livelogd::ingest {

/// The framer and scanner of one connection. Lives where the connection lives.
class intake {
  public:
    /// Told of a first line that is a hello, or meant to be one. Returns how the lines that follow are
    /// numbered, for as long as the intake lives; nothing if they are not to be taken at all.
    using greeting_sink = std::function<acknowledged_lines*(const protocol::first_line&)>;

    /// `max_record_bytes`: longer lines are told as malformed. Without `on_greeting` a hello is a line like
    /// any other.
    intake(std::size_t max_record_bytes, counters& count, greeting_sink on_greeting = {})
        : framer_(max_record_bytes),
          limit_(max_record_bytes),
          count_(count),
          on_greeting_(std::move(on_greeting)) {}

    /// Takes bytes as they came and appends the records they complete to `batch`. If lines are numbered,
    /// within a turn of theirs.
    void feed(std::string_view bytes, const policy& rules, storage::record_batch& batch);

    /// The peer has closed: a last line without LF counts.
    void finish(const policy& rules, storage::record_batch& batch);

    /// Gives an unfinished line up; it is told as malformed with `reason`.
    void abandon(std::string_view reason, const policy& rules, storage::record_batch& batch);

    /// The sender will send an unfinished line again, if there is one: it is only counted.
    void leave_unfinished();

    /// Bytes of an unfinished line held in memory.
    [[nodiscard]] std::size_t held_bytes() const { return framer_.held_bytes(); }
    [[nodiscard]] bool has_partial_line() const { return framer_.has_partial_line(); }

  private:
    /// What a turn has counted: added up once, not for every line.
    struct tally {
        std::uint64_t lines = 0;
        std::uint64_t malformed = 0;
        std::uint64_t deduplicated = 0;
        std::uint64_t dropped = 0;
        protocol::redaction_counts redactions{};
    };
    bool greets(const protocol::framed_line& line);
    void add_up();
    void take(const protocol::framed_line& line, const policy& rules, storage::record_batch& batch);
    void take_malformed(std::string_view message, const protocol::framed_line& line, const policy& rules,
                        storage::record_batch& batch);
    void close_record(std::size_t begin, const protocol::digest_fields& fields, storage::record_batch& batch);
    void stamp_turn(const policy& rules);

    protocol::line_framer framer_;
    std::size_t limit_;
    counters& count_;
    greeting_sink on_greeting_;  ///< empty from the first line on
    acknowledged_lines* numbers_ = nullptr;
    bool closed_ = false;  ///< nothing more is taken
    tally turn_;
    protocol::record_scanner scanner_;
    std::string timestamp_;  ///< of this turn
    std::string_view abandon_reason_;
};

}  // namespace livelogd::ingest
