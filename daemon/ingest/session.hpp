// SPDX-License-Identifier: MIT
// One sender's connection.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/ingest/acknowledged_lines.hpp"
#include "daemon/ingest/client_ledger.hpp"
#include "daemon/ingest/intake.hpp"
#include "daemon/ingest/line_budget.hpp"
#include "daemon/ingest/pipeline.hpp"
#include "daemon/ingest/progress.hpp"
#include "daemon/net/types.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace livelogd::ingest {

/// What all sessions share. Owned by the application; outlives them.
struct session_context {
    pipeline& to_log;
    const current_policy& rules;
    line_budget& budget;
    counters& count;
    std::size_t max_record_bytes;
    base::report_sink report;
};

/// Reads from one sender until it closes or the daemon stops. A sender that has said hello is answered: by a
/// coroutine of its own, so that writing never delays reading. To others nothing is ever written. Lives on
/// the strand of its socket; kept alive by its own coroutines.
class session : public std::enable_shared_from_this<session> {
  public:
    /// `clients` outlives it.
    session(net::stream_socket socket, session_context context, client_ledger& clients);

    struct callbacks {
        std::function<void()> on_read_end;  ///< nothing more will be handed over to the log
        std::function<void()> on_end;       ///< after on_read_end: the connection is closed
    };
    /// Calls each once, on the strand.
    void start(callbacks tell);

    /// Takes in what has reached the socket by now, and the end of a line that is under way, until
    /// `deadline`; then reads no more. A sender that has said hello stays connected until finish. Any thread.
    void drain(std::chrono::steady_clock::time_point deadline);

    /// The log has stopped: tells the sender what it can be told at once, and ends. After drain. Any thread.
    void finish();

    /// Gives up a half-received line of which nothing has come for this long; for when memory for such lines
    /// is scarce. Any thread.
    void give_up_line_silent_for(std::chrono::steady_clock::duration age);

  private:
    // Reading.
    net::awaitable<void> read();
    net::awaitable<void> wait_for_room();
    net::awaitable<void> take_rest();
    net::awaitable<void> take_what_is_written();
    void take(std::size_t size);
    void take_end();
    void hand_over(storage::record_batch batch);
    void note_partial_line();
    void reading_ended(const std::exception_ptr& error);

    // Answering.
    acknowledged_lines* greeted(const protocol::first_line& greeting);
    net::awaitable<void> answer();
    bool has_said_all() const;
    bool peer_is_gone();
    void wake_answers();

    void coroutine_ended();
    void report_failure(const std::exception_ptr& error);

    net::stream_socket socket_;
    session_context context_;
    client_ledger& clients_;
    callbacks tell_;
    int coroutines_ = 0;
    bool finishing_ = false;

    intake intake_;
    line_budget::share share_;
    net::asio::steady_timer timer_;
    std::unique_ptr<char[]> buffer_;
    std::chrono::steady_clock::time_point heard_{};  ///< when the sender last sent something, or could have
    bool waiting_ = false;                           ///< for room, not for the sender
    std::chrono::steady_clock::time_point deadline_{};  ///< of draining
    bool draining_ = false;
    bool reads_ = true;

    std::optional<acknowledged_lines> lines_;  ///< of a sender that has said hello
    std::optional<progress::watch> watch_;
    net::asio::steady_timer news_;  ///< cancelled when there may be something to tell
    std::string answer_;            ///< what is to be written
};

}  // namespace livelogd::ingest
