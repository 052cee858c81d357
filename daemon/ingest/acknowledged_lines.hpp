// SPDX-License-Identifier: MIT
// The lines of one connection whose sender wants to be told what became of them. No sockets.
#pragma once

#include "daemon/ingest/client_ledger.hpp"
#include "daemon/ingest/progress.hpp"
#include "protocol/acknowledgement.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::ingest {

/// Numbers the lines, leaves out what had been taken before, and composes what the sender is told. Lives on
/// the session's strand. Bounded: at most 64 malformed lines wait to be told one by one.
class acknowledged_lines {
  public:
    static constexpr std::size_t most_notices = 64;

    /// The connection has begun with this hello. May refuse it.
    acknowledged_lines(const protocol::hello& greeting, client_ledger& clients);

    // One turn: what a read has brought. Begins with begin_turn, or with the hello itself.
    void begin_turn();
    /// The next line has come. False: it had been taken before.
    [[nodiscard]] bool claim() {
        if (++line_ <= have_) return false;
        have_ = line_;
        return true;
    }
    /// The line claimed last is no record.
    void malformed(std::string_view error);
    /// The records of the turn have been handed over; `end_id` as in client_lines::took.
    void end_turn(std::optional<protocol::record_id> end_id);
    /// The turn has failed: its lines count as never seen.
    void abort_turn();

    /// Whether those who wait for these lines want them synced. Within a turn.
    [[nodiscard]] bool durable() const { return client_.lines().level() == protocol::ack_level::durable; }

    /// The connection is to be closed, once the sender has been told why. Nothing more is to be taken.
    void refuse(std::string reason);
    [[nodiscard]] bool refused() const { return refused_; }

    // Between turns.
    /// Appends to `out` what the sender is to be told now.
    void compose(const progress& log, std::string& out);
    /// Asks to be woken when there will be more to compose. False if there is already.
    bool await(progress::watch& watch);
    /// Whether the sender has been told of every line it knows to be here.
    [[nodiscard]] bool all_acknowledged() const { return told_ >= known_; }

  private:
    struct notice {
        protocol::line_number line;
        std::string error;
    };
    void compose_notices(std::string& out);

    client_ledger::membership client_;
    std::unique_lock<std::mutex> turn_;
    protocol::line_number have_ = 0;   ///< of the client, within a turn
    protocol::line_number line_ = 0;   ///< the last one that has come by this connection
    protocol::line_number known_ = 0;  ///< the last one the sender knows to be here: acks go no further
    protocol::line_number told_ = 0;   ///< the last one acknowledged on this connection
    protocol::line_number greeted_with_ = 0;
    bool tell_have_ = false;
    std::vector<notice> notices_;
    std::uint64_t more_notices_ = 0;
    protocol::line_number last_notice_ = 0;
    bool refused_ = false;
    std::string reason_;  ///< empty once told
};

}  // namespace livelogd::ingest
