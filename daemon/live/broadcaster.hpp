// SPDX-License-Identifier: MIT
// The live end of the log: a ring of encoded batches, and the cursors that wait for the next one.
#pragma once

#include "daemon/live/event_batch.hpp"
#include "daemon/net/types.hpp"
#include "daemon/storage/record_batch.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace livelogd::live {

/// An encoded event that is no record and has no id.
using shared_event = std::shared_ptr<const std::string>;

/// What a cursor gets when it asks for the records after its position.
struct pulled {
    enum class outcome : std::uint8_t {
        batches,    ///< here they are: they cover position + 1 and what follows, in order
        status,     ///< an event that is no record is to be told: call told() once it is
        behind,     ///< the ring no longer holds position + 1: read it from the files
        idle,       ///< nothing new until the deadline
        cancelled,  ///< the reader has cancelled
        closing,    ///< the daemon stops; nothing more will come
    };
    outcome what = outcome::idle;
    std::vector<shared_batch> batches{};
    shared_event status{};             ///< as it goes over the wire, with `status`
    std::uint64_t status_version = 0;  ///< of that event
    bool status_waits = false;         ///< not taken now, but there is one
};

class broadcaster;

/// One reader's end of the broadcaster; lives on the reader's strand.
class subscription {
  public:
    subscription(subscription&&) = default;
    subscription& operator=(subscription&&) = delete;

    using time_point = std::chrono::steady_clock::time_point;

    /// Asks for what comes after `position`; waits for it until `deadline` if there is nothing yet. One pull
    /// at a time. Completes on the reader's executor, and never before others had their turn there.
    /// `takes_status`: false while the reader is in the middle of a record and can tell nothing else.
    ///
    /// A status goes before records, but never two in a row while there are any: however often it changes,
    /// the records get on.
    template <class Token>
    auto async_pull(protocol::record_id position, time_point deadline, bool takes_status, Token&& token) {
        return net::asio::async_initiate<Token, void(pulled)>(
            [this, position, deadline, takes_status](auto done) {
                pull(position, deadline, takes_status, std::move(done));
            },
            token);
    }

    /// The status that came with a pull is on its way to the client.
    void told(std::uint64_t status_version) {
        status_told_ = status_version;
        told_last_ = true;
    }

    /// Ends a waiting pull with `cancelled`. Any thread.
    void cancel();

  private:
    friend class broadcaster;
    using handler = net::asio::any_completion_handler<void(pulled)>;
    /// Held by every subscription, and counted by its owner.
    using presence = std::shared_ptr<const std::monostate>;
    subscription(broadcaster& owner, presence listener, net::asio::any_io_executor reader, std::uint64_t key,
                 std::uint64_t status_told)
        : owner_(&owner),
          listener_(std::move(listener)),
          reader_(std::move(reader)),
          key_(key),
          status_told_(status_told) {}
    void pull(protocol::record_id position, time_point deadline, bool takes_status, handler done);

    broadcaster* owner_;
    presence listener_;
    net::asio::any_io_executor reader_;
    std::uint64_t key_;
    std::uint64_t status_told_;  ///< the version that the client knows
    bool told_last_ = false;     ///< the last pull brought a status
};

/// Holds the newest batches, at most `ring_bytes` of them, and hands them to cursors. The members may be
/// called from any thread. Owned by the application; outlives its subscriptions.
///
/// A cursor is only a position: the ring neither knows nor cares how slow they are, and drops what is over
/// its limit without asking anyone.
///
/// Batches are encoded for streaming by whoever publishes them, but only while there is a cursor at all. What
/// has come before the first one is held as it is stored, sharing its bytes with the log, and encoded when it
/// is pulled.
///
/// The state is behind a mutex that is held for moments only, so that whoever publishes does not depend on an
/// I/O thread, and a cursor for which there is something already has it at once. Cursors that wait are woken
/// by an I/O thread, some at a time and each in its own strand: what a cursor does then (it writes to its
/// socket) is done right there, without another turn through the queue of the I/O threads.
class broadcaster {
  public:
    /// `next_id`: the id of the first record that will be published.
    broadcaster(net::asio::io_context& context, std::size_t ring_bytes, protocol::record_id next_id);

    /// Batches must come in the order of ids, without gaps between them. One thread at a time.
    void publish(protocol::record_id first_id, storage::shared_records batch);

    /// Every cursor is to be told this, once, between two records; of several it has not been told yet, the
    /// newest alone. `standing`: so are cursors that subscribe from now on, until the next call.
    void set_status(shared_event event, bool standing);

    /// `reader`: the executor on which the reader's pulls complete.
    subscription subscribe(net::asio::any_io_executor reader);

    /// From now on a pull that would have to wait is answered with `closing`. Call it after the last publish.
    void close();

    /// What the ring holds at the moment, and what it may hold, bytes.
    [[nodiscard]] std::size_t held_bytes() const { return held_bytes_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t ring_bytes() const { return ring_bytes_; }

  private:
    friend class subscription;
    struct waiter {
        std::uint64_t key;
        protocol::record_id position;
        std::chrono::steady_clock::time_point deadline;
        std::uint64_t status_told;
        bool takes_status;
        bool records_first;
        net::asio::any_io_executor reader;
        subscription::handler done;
    };
    /// In the order in which they began to wait. A list: waiters are moved between lists, and never moved
    /// themselves.
    using waiters = std::list<waiter>;
    /// A batch in one of its two forms.
    struct held_batch {
        protocol::record_id first_id;
        protocol::record_id end_id;
        storage::shared_records stored;  ///< nothing once it is encoded
        shared_batch encoded;
        void encode();
        [[nodiscard]] std::size_t memory() const;
    };
    struct status {
        std::uint64_t version = 0;
        shared_event event;
        bool standing = false;
    };

    void pull(waiters one);
    void cancel(std::uint64_t key);
    void wake();
    void wait_for_tick();
    void look_at_clock();
    static auto completion(waiter& w, pulled result);

    // With the mutex held.
    [[nodiscard]] bool is_due(const waiter& w) const;
    [[nodiscard]] pulled answer(const waiter& w);
    [[nodiscard]] pulled news_after(protocol::record_id position);
    const shared_batch& encoded(held_batch& held);
    [[nodiscard]] bool has_news_after(protocol::record_id position) const { return position + 1 < next_id_; }
    void drop_what_is_over(std::vector<held_batch>& dropped);
    void wake_soon();
    void start_clock();
    template <class Fits>
    waiters take_waiters(Fits&& fits, std::size_t most);

    net::asio::io_context& context_;
    const std::size_t ring_bytes_;
    std::atomic<std::size_t> held_bytes_{0};  ///< changed with the mutex held
    const subscription::presence listeners_ = std::make_shared<const std::monostate>();

    mutable std::mutex mutex_;  ///< of all that follows, but the timer
    std::deque<held_batch> ring_;
    protocol::record_id floor_;    ///< the ring holds everything from here on
    protocol::record_id next_id_;  ///< one past the newest record
    status status_;
    std::uint64_t next_key_ = 0;
    waiters waiters_;
    bool wakes_ = false;  ///< an I/O thread is on its way to wake waiters
    bool clock_runs_ = false;
    bool closing_ = false;

    /// Looks for waiters whose deadline has passed; runs only while somebody waits. On a strand of its own.
    net::asio::steady_timer clock_;
};

}  // namespace livelogd::live
