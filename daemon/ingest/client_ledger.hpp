// SPDX-License-Identifier: MIT
// Which lines of which sender have been taken, and which of them are not acknowledged yet.
#pragma once

#include "protocol/acknowledgement.hpp"
#include "protocol/record_id.hpp"

#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace livelogd::ingest {

/// The lines of one client. Shared by its connections (an old one that is half dead, and the one that follows
/// it). All members but lock() only under the lock.
class client_lines {
  public:
    /// Most entries of what is not acknowledged yet; beyond, neighbours become one and are acknowledged
    /// together.
    static constexpr std::size_t most_pending = 1024;

    /// Held by a connection from asking for have() until it has told what it took, records handed over: so
    /// ids rise with line numbers, whichever connection a line came by.
    [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }

    /// The last line taken.
    [[nodiscard]] protocol::line_number have() const { return have_; }

    /// Lines after have() up to `last` have been taken. `end_id`: the id behind the last of their records;
    /// nothing if they have left none.
    void took(protocol::line_number last, std::optional<protocol::record_id> end_id);

    /// The strictest level that a connection of the client has asked for: it holds for all of them.
    [[nodiscard]] protocol::ack_level level() const { return level_; }
    void require(protocol::ack_level level);

    /// The last line that is acknowledged once everything below `reached` may be. Forgets what it needed to
    /// know of lines up to there.
    protocol::line_number acknowledged(protocol::record_id reached);

    /// What has to be reached before more lines are acknowledged; nothing if all are.
    [[nodiscard]] std::optional<protocol::record_id> awaited() const;

    /// Nobody is connected: remembers no more than what the next connection needs.
    void shrink();

  private:
    struct pending {
        protocol::line_number line;  ///< acknowledged, with all before it,
        protocol::record_id end_id;  ///< once everything below this id is stored
    };
    void fold();
    void merge_neighbours();

    std::mutex mutex_;
    protocol::line_number have_ = 0;
    protocol::line_number acknowledged_ = 0;
    protocol::record_id end_id_ = 0;  ///< behind the last record that the client's lines have left
    protocol::ack_level level_ = protocol::ack_level::written;
    std::deque<pending> pending_;  ///< rising in both
};

/// All clients that have named themselves. Those without a connection are kept up to a number, the least
/// recently connected go first: a client that comes back after that is unknown, as after a restart.
///
/// Memory: at most 16 KiB a connected client, some hundred bytes each other one. Any thread.
class client_ledger {
  public:
    static constexpr std::size_t default_most_absent = 1024;
    explicit client_ledger(std::size_t most_absent = default_most_absent) : most_absent_(most_absent) {}

    /// One connection of a client. Must not outlive the ledger.
    class membership {
      public:
        /// An empty `name`: lines that no other connection will ever ask for.
        membership(client_ledger& ledger, const std::string& name);
        ~membership();
        membership(const membership&) = delete;
        membership& operator=(const membership&) = delete;

        [[nodiscard]] client_lines& lines() const { return *lines_; }

      private:
        client_ledger& ledger_;
        const std::string name_;
        std::shared_ptr<client_lines> lines_;
    };

    /// Clients that are remembered, connected or not.
    [[nodiscard]] std::size_t size() const;

  private:
    struct entry {
        std::shared_ptr<client_lines> lines;
        std::size_t connections = 0;
        std::list<std::string>::iterator place;  ///< in absent_; only without connections
    };
    std::shared_ptr<client_lines> join(const std::string& name);
    void leave(const std::string& name);

    mutable std::mutex mutex_;  ///< guards what follows; taken before a client's own lock
    const std::size_t most_absent_;
    std::unordered_map<std::string, entry> clients_;
    std::list<std::string> absent_;  ///< without a connection; the one that left first in front
};

}  // namespace livelogd::ingest
