// SPDX-License-Identifier: MIT
// Bytes of one connection in, a batch of records out. No sockets.
#pragma once

#include "daemon/ingest/policy.hpp"
#include "daemon/storage/record_batch.hpp"
#include "protocol/framer.hpp"
#include "protocol/scan.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace livelogd::ingest {

/// The framer and scanner of one connection. Lives where the connection lives.
class intake {
  public:
    /// `max_record_bytes`: longer lines are told as malformed.
    intake(std::size_t max_record_bytes, counters& count)
        : framer_(max_record_bytes), limit_(max_record_bytes), count_(count) {}

    /// Takes bytes as they came and appends the records they complete to `batch`.
    void feed(std::string_view bytes, const policy& rules, storage::record_batch& batch);

    /// The peer has closed: a last line without LF counts.
    void finish(const policy& rules, storage::record_batch& batch);

    /// Gives an unfinished line up; it is told as malformed with `reason`.
    void abandon(std::string_view reason, const policy& rules, storage::record_batch& batch);

    /// Bytes of an unfinished line held in memory.
    [[nodiscard]] std::size_t held_bytes() const { return framer_.held_bytes(); }
    [[nodiscard]] bool has_partial_line() const { return framer_.has_partial_line(); }

  private:
    void take(const protocol::framed_line& line, const policy& rules, storage::record_batch& batch);
    void take_malformed(std::string_view message, const protocol::framed_line& line, const policy& rules,
                        storage::record_batch& batch);
    void close_record(std::size_t begin, const protocol::record_fields& fields, storage::record_batch& batch);
    void stamp_turn(const policy& rules);

    protocol::line_framer framer_;
    std::size_t limit_;
    counters& count_;
    protocol::record_scanner scanner_;
    std::string timestamp_;  ///< of this turn
    std::string_view abandon_reason_;
};

}  // namespace livelogd::ingest
