// SPDX-License-Identifier: MIT
// One Server-Sent Events session: a cursor that pulls.
#pragma once

#include "daemon/http/auth/grant.hpp"
#include "daemon/http/connection.hpp"
#include "daemon/http/stream_filter.hpp"
#include "daemon/http/stream_sources.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::http {

struct stream_options {
    filter::record_filter filter;
    std::optional<protocol::record_id> after;  ///< resume behind this id; 0: from the oldest record
    std::optional<std::size_t> replay;         ///< without `after`: the newest N matching records first
    std::chrono::steady_clock::duration ping_interval = std::chrono::seconds(15);
    std::chrono::steady_clock::duration stall = std::chrono::seconds(60);
    std::shared_ptr<grant> granted = {};  ///< the stream ends with it; null: no right is needed
};

/// Lives on the connection's strand; kept alive by run() and by the watch on the peer.
///
/// Between two writes it holds nothing but its position: the id it has examined and how many bytes of the
/// next frame are out. When the client takes nothing, the batches are let go, and read again (from the ring,
/// or by then from the files) once it does. So a client that stops reading costs no memory.
class event_stream : public std::enable_shared_from_this<event_stream> {
  public:
    event_stream(std::shared_ptr<connection> client, stream_sources sources, stream_options options);

    /// Writes `head`, then events until the client is gone, takes nothing for too long, has no right to them
    /// any more, or the daemon stops.
    /// Closes the connection.
    net::awaitable<void> run(std::string head);

  private:
    /// A run of records that go out in one piece.
    struct piece {
        const live::event_batch* batch;
        protocol::record_id from;
        protocol::record_id to;  ///< one past the last
        std::string_view bytes;  ///< their frames
    };

    enum class progress : std::uint8_t {
        all,      ///< everything is out, as far as it was chosen
        blocked,  ///< the client takes no more for the moment
        broken,   ///< the stream cannot go on
    };

    net::awaitable<void> watch_peer();
    net::awaitable<bool> find_start(storage::log_snapshot snapshot);
    net::awaitable<bool> find_replay(storage::log_snapshot snapshot);
    net::awaitable<void> follow();
    net::awaitable<bool> take(live::pulled news);
    net::awaitable<bool> send_status(live::pulled news);
    net::awaitable<bool> send_batches(std::vector<live::shared_batch> batches);
    net::awaitable<std::vector<live::batch_matches>> match(std::vector<live::shared_batch> batches);
    net::awaitable<bool> catch_up();
    /// `bytes` must outlive the call.
    net::awaitable<bool> send_notice(const std::string& bytes);
    net::awaitable<bool> say_bye(std::string_view reason = {});
    [[nodiscard]] bool has_lost_its_right() const;
    net::awaitable<bool> wait_for_client();
    progress write(const std::vector<live::shared_batch>& batches,
                   const std::vector<live::batch_matches>& matches);
    protocol::record_id choose(const std::vector<live::shared_batch>& batches,
                               const std::vector<live::batch_matches>& matches,
                               std::vector<piece>& pieces) const;
    void advance(const std::vector<piece>& pieces, std::size_t sent);
    void count_sent(std::uint64_t records) const {
        sources_.count.streamed_records.fetch_add(records, std::memory_order_relaxed);
    }
    [[nodiscard]] protocol::record_id newest() const { return sources_.log.snapshot().next_id - 1; }

    std::shared_ptr<connection> client_;
    stream_sources sources_;
    stream_options options_;
    stream_filter filter_;
    live::subscription subscription_;
    struct wake {
        event_stream* self;
        void operator()() const { self->subscription_.cancel(); }
    };
    /// Wakes the stream when its right has ended. After the subscription, which it uses: from another thread.
    std::optional<std::stop_callback<wake>> on_right_ended_;
    protocol::record_id position_ = 0;  ///< everything up to here has been examined, and sent if it matches
    std::size_t frame_sent_ = 0;        ///< bytes of the frame of position_ + 1 that are out
    std::chrono::steady_clock::time_point next_ping_;
    /// A ping or a status is due: the record under way is finished, and no other begun before it.
    bool notice_due_ = false;
    bool peer_gone_ = false;
};

}  // namespace livelogd::http
