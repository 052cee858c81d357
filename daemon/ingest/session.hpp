// SPDX-License-Identifier: MIT
// One sender's connection.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/ingest/intake.hpp"
#include "daemon/ingest/line_budget.hpp"
#include "daemon/ingest/pipeline.hpp"
#include "daemon/net/types.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

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

/// Reads from one sender until it closes or the daemon stops. Lives on the strand of its socket; kept alive
/// by its own coroutine. Never writes to the sender.
class session : public std::enable_shared_from_this<session> {
  public:
    session(net::stream_socket socket, session_context context);

    /// Calls `on_end` on the strand when the session is over.
    void start(std::function<void()> on_end);

    /// Takes in what has reached the socket by now, and the end of a line that is under way, until
    /// `deadline`; then ends. Any thread.
    void drain(std::chrono::steady_clock::time_point deadline);

    /// Gives up a half-received line of which nothing has come for this long; for when memory for such lines
    /// is scarce. Any thread.
    void give_up_line_silent_for(std::chrono::steady_clock::duration age);

  private:
    net::awaitable<void> run();
    net::awaitable<void> wait_for_room();
    net::awaitable<void> take_rest();
    void take(std::size_t size);
    void finish();
    void note_partial_line();
    void report_failure(const std::exception_ptr& error);

    net::stream_socket socket_;
    session_context context_;
    intake intake_;
    line_budget::share share_;
    net::asio::steady_timer timer_;
    std::unique_ptr<char[]> buffer_;
    std::chrono::steady_clock::time_point heard_{};  ///< when the sender last sent something, or could have
    bool waiting_ = false;                           ///< for room, not for the sender
    std::chrono::steady_clock::time_point deadline_{};  ///< of draining
    bool draining_ = false;
};

}  // namespace livelogd::ingest
