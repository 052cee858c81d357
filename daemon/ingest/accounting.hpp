// SPDX-License-Identifier: MIT
// What has become of every line that senders have sent.
#pragma once

#include "protocol/level.hpp"
#include "protocol/secret_redaction.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <tuple>

namespace livelogd::ingest {

/// `lines = stored + waiting + deduplicated + dropped_by_configuration + unfinished`, once nothing is on its
/// way.
struct accounting {
    std::uint64_t lines = 0;      ///< that are not empty; hellos are not among them
    std::uint64_t stored = 0;     ///< written to the log's files, malformed lines included
    std::uint64_t malformed = 0;  ///< lines that became records about themselves: part of stored and waiting
    std::uint64_t deduplicated = 0;              ///< sent again, and recognised
    std::uint64_t dropped_by_configuration = 0;  ///< left out because of log_api_calls = false
    std::uint64_t unfinished = 0;   ///< without LF at the end of an acknowledged connection: not taken
    std::uint64_t waiting = 0;      ///< handed to the log, not yet written
    std::uint64_t own_records = 0;  ///< the daemon's own, written; not among lines and stored
};

/// Counts since the start, each where the thing happens and none from another, so that the equation can fail.
/// Any thread.
struct counters {
    std::atomic<std::uint64_t> lines{0};
    std::atomic<std::uint64_t> stored{0};
    std::atomic<std::uint64_t> malformed{0};
    std::atomic<std::uint64_t> deduplicated{0};
    std::atomic<std::uint64_t> dropped_by_configuration{0};
    std::atomic<std::uint64_t> unfinished{0};
    std::atomic<std::uint64_t> waiting{0};
    std::atomic<std::uint64_t> own_records{0};

    // Outside the equation.
    std::atomic<std::uint64_t> bytes{0};           ///< read from senders
    std::atomic<std::uint64_t> connections{0};     ///< of senders, open now
    std::atomic<std::uint64_t> connected{0};       ///< senders' connections that were accepted
    std::atomic<std::uint64_t> of_other_users{0};  ///< of these: of another user than the daemon's
    std::atomic<std::uint64_t> error_records{0};   ///< written; the daemon's own included
    /// Records written, the daemon's own included, by protocol::level.
    std::array<std::atomic<std::uint64_t>, protocol::level_count> by_severity{};
    /// Values redacted, by protocol::redaction_counts' rules.
    std::array<std::atomic<std::uint64_t>, std::tuple_size_v<protocol::redaction_counts>> redactions{};

    /// The order of reading: what a line is counted as is never read without the line.
    [[nodiscard]] accounting now() const {
        accounting sums;
        sums.stored = stored.load(std::memory_order_acquire);
        sums.waiting = waiting.load(std::memory_order_acquire);
        sums.malformed = malformed.load(std::memory_order_acquire);
        sums.deduplicated = deduplicated.load(std::memory_order_acquire);
        sums.dropped_by_configuration = dropped_by_configuration.load(std::memory_order_acquire);
        sums.unfinished = unfinished.load(std::memory_order_acquire);
        sums.own_records = own_records.load(std::memory_order_acquire);
        sums.lines = lines.load(std::memory_order_acquire);
        return sums;
    }
};

}  // namespace livelogd::ingest
