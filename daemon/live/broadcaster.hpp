// SPDX-License-Identifier: MIT
// The live end of the log: a ring of encoded batches, and the cursors that wait for the next one.
#pragma once

#include "daemon/live/event_batch.hpp"
#include "daemon/net/types.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace livelogd::live {

/// What a cursor gets when it asks for the records after its position.
struct pulled {
    enum class outcome : std::uint8_t {
        batches,    ///< here they are: they cover position + 1 and what follows, in order
        behind,     ///< the ring no longer holds position + 1: read it from the files
        idle,       ///< nothing new until the deadline
        cancelled,  ///< the reader has cancelled
        closing,    ///< the daemon stops; nothing more will come
    };
    outcome what = outcome::idle;
    std::vector<shared_batch> batches;
};

class broadcaster;

/// One reader's end of the broadcaster; lives on the reader's strand.
class subscription {
  public:
    subscription(subscription&&) = default;
    subscription& operator=(subscription&&) = delete;

    /// Asks for what comes after `position`; waits for it until `deadline` if there is nothing yet. One pull
    /// at a time. Completes on the reader's executor.
    template <class Token>
    auto async_pull(protocol::record_id position, std::chrono::steady_clock::time_point deadline,
                    Token&& token) {
        return net::asio::async_initiate<Token, void(pulled)>(
            [this, position, deadline](auto done) { pull(position, deadline, std::move(done)); }, token);
    }

    /// Ends a waiting pull with `cancelled`. Any thread.
    void cancel();

  private:
    friend class broadcaster;
    using handler = net::asio::any_completion_handler<void(pulled)>;
    subscription(broadcaster& owner, net::asio::any_io_executor reader, std::uint64_t key)
        : owner_(&owner), reader_(std::move(reader)), key_(key) {}
    void pull(protocol::record_id position, std::chrono::steady_clock::time_point deadline, handler done);

    broadcaster* owner_;
    net::asio::any_io_executor reader_;
    std::uint64_t key_;
};

/// Holds the newest batches, at most `ring_bytes` of them, and hands them to cursors. All state lives on its
/// strand; the members may be called from any thread. Owned by the application; outlives its subscriptions.
///
/// A cursor is only a position: the ring neither knows nor cares how many there are or how slow they are, and
/// drops what is over its limit without asking anyone.
class broadcaster {
  public:
    /// `next_id`: the id of the first record that will be published.
    broadcaster(net::asio::io_context& context, std::size_t ring_bytes, protocol::record_id next_id);

    /// Batches must come in the order of ids, without gaps between them.
    void publish(shared_batch batch);

    /// `reader`: the executor on which the reader's pulls complete.
    subscription subscribe(net::asio::any_io_executor reader);

    /// From now on a pull that would have to wait is answered with `closing`. Call it after the last publish.
    void close();

  private:
    friend class subscription;
    struct waiter {
        protocol::record_id position;
        std::chrono::steady_clock::time_point deadline;
        net::asio::any_io_executor reader;
        subscription::handler done;
    };
    static void complete(waiter w, pulled result);

    void take_inbox();
    void pull(std::uint64_t key, waiter w);
    void cancel(std::uint64_t key);
    template <class Decide>
    void answer_waiters(Decide&& decide);
    void start_clock();
    [[nodiscard]] bool has_news_after(protocol::record_id position) const { return position + 1 < next_id_; }
    [[nodiscard]] pulled news_after(protocol::record_id position) const;

    // Shared with publishing threads.
    std::mutex inbox_mutex_;
    std::vector<shared_batch> inbox_;
    std::uint64_t next_key_ = 0;

    // On the strand.
    net::asio::any_io_executor strand_;
    net::asio::steady_timer
        clock_;  ///< looks for waiters whose deadline has passed; runs only while somebody waits
    bool clock_runs_ = false;
    std::size_t ring_bytes_;
    std::size_t held_bytes_ = 0;
    std::deque<shared_batch> ring_;
    protocol::record_id floor_;    ///< the ring holds everything from here on
    protocol::record_id next_id_;  ///< one past the newest record
    std::unordered_map<std::uint64_t, waiter> waiters_;
    bool closing_ = false;
};

}  // namespace livelogd::live
