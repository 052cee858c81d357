// SPDX-License-Identifier: MIT
#include "daemon/http/event_stream.hpp"

#include "daemon/query/replay.hpp"
#include "protocol/sse.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <array>
#include <exception>

namespace livelogd::http {
namespace {

using clock = std::chrono::steady_clock;
using live::pulled;

/// How long a client waits before it connects again, milliseconds.
constexpr unsigned retry_ms = 2000;

/// A search is interrupted this often to look after its client.
constexpr auto replay_step = std::chrono::milliseconds(200);

/// Why a stream ends while the daemon goes on.
constexpr std::string_view signed_out = "signed out";

/// Buffers of one write; the system takes no more at a time than a socket's buffer holds anyway.
constexpr std::size_t max_pieces = 64;

}  // namespace

event_stream::event_stream(std::shared_ptr<connection> client, stream_sources sources, stream_options options)
    : client_(std::move(client)),
      sources_(std::move(sources)),
      options_(std::move(options)),
      filter_(options_.filter, sources_),
      subscription_(sources_.live.subscribe(client_->executor())) {
    if (options_.granted) on_right_ended_.emplace(options_.granted->ended(), wake{this});
}

net::awaitable<void> event_stream::run(std::string head) {
    auto self = shared_from_this();
    const one_more open(sources_.count.streams);
    auto watch = [self]() -> net::awaitable<void> { co_await self->watch_peer(); };
    // The watch reports by setting peer_gone_; an exception in it can only be memory shortage, and ends the
    // watch.
    net::asio::co_spawn(client_->executor(), std::move(watch), [self](const std::exception_ptr&) {});

    try {
        // Taken before the client hears anything: what is sent to the daemon after that must be in the
        // stream.
        auto from = sources_.log.snapshot();
        head += protocol::sse::retry(retry_ms);
        bool goes_on = co_await send_notice(head);
        if (goes_on) {
            next_ping_ = clock::now() + options_.ping_interval;
            goes_on = co_await find_start(std::move(from));
        }
        if (goes_on) {
            // From here on a client that loses the connection knows where to resume, whether it has seen a
            // record or not.
            const auto start = protocol::sse::position(position_);
            goes_on = co_await send_notice(start);
        }
        if (goes_on) co_await follow();
    } catch (const std::exception&) {
        // The files cannot be read, or the daemon stops in the middle of a search: the client will come
        // again, and goes on where it was.
        peer_gone_ = true;
    }
    client_->close();
}

net::awaitable<void> event_stream::watch_peer() {
    std::array<char, 256> ignored;  // a client has nothing more to say
    for (;;) {
        const auto [error, size] =
            co_await client_->read_some(net::asio::buffer(ignored), connection::no_limit);
        if (error) break;
    }
    peer_gone_ = true;
    subscription_.cancel();
    client_->close();
}

net::awaitable<bool> event_stream::find_start(storage::log_snapshot snapshot) {
    const auto last = snapshot.next_id - 1;
    if (options_.after) {
        // An id that is not given yet can only come from another log: then there is nothing to resume from.
        position_ = *options_.after == 0 ? snapshot.oldest_id() - 1 : std::min(*options_.after, last);
    } else if (options_.replay) {
        const bool found = co_await find_replay(std::move(snapshot));
        co_return found;
    } else {
        position_ = last;
    }
    co_return true;
}

/// The search may be long: in between the client is told that the stream is alive, and looked after.
net::awaitable<bool> event_stream::find_replay(storage::log_snapshot snapshot) {
    query::search_context context{.lines = sources_.lines, .zone = sources_.zone, .stop = sources_.stopping};
    auto search = std::make_shared<query::replay_search>(std::move(snapshot), options_.filter,
                                                         *options_.replay, std::move(context));
    for (bool found = false; !found;) {
        auto step = [search] { return search->advance(clock::now() + replay_step); };
        found = co_await net::offload(sources_.workers, std::move(step));
        if (peer_gone_) co_return false;
        if (found || clock::now() < next_ping_) continue;
        next_ping_ = clock::now() + options_.ping_interval;
        const auto ping = protocol::sse::ping_before_start(newest());
        const bool sent = co_await send_notice(ping);
        if (!sent) co_return false;
    }
    position_ = search->position();
    co_return true;
}

/// Until the stream is over. What happens most, records that go out at once to a stream without a filter, is
/// done here: another coroutine for each turn would cost as much as the turn.
net::awaitable<void> event_stream::follow() {
    for (bool goes_on = true; goes_on && !peer_gone_;) {
        if (has_lost_its_right()) {
            co_await say_bye(signed_out);
            break;
        }
        const bool between_records = frame_sent_ == 0;
        const bool ping_due = clock::now() >= next_ping_;
        if (ping_due && between_records) {
            next_ping_ = clock::now() + options_.ping_interval;
            // An open stream keeps a session from being idle.
            if (options_.granted && !options_.granted->use(clock::now())) options_.granted->end();
            const auto ping = protocol::sse::ping(position_, newest());
            goes_on = co_await send_notice(ping);
            continue;
        }
        auto news = co_await subscription_.async_pull(position_, next_ping_, between_records,
                                                      net::asio::use_awaitable);
        // A client that is always a little slower than the records is always in the middle of one.
        notice_due_ = !between_records && (ping_due || news.status_waits);
        if (peer_gone_) break;
        if (news.what == pulled::outcome::cancelled) continue;  // for the right that has ended
        if (news.what == pulled::outcome::batches && filter_.passes_everything()) {
            const auto done = write(news.batches, {});
            if (done == progress::all) continue;
            if (done == progress::broken) break;
            news.batches.clear();
            goes_on = co_await wait_for_client();
            continue;
        }
        goes_on = co_await take(std::move(news));
    }
}

/// False when the stream is over.
net::awaitable<bool> event_stream::take(pulled news) {
    switch (news.what) {
        case pulled::outcome::status:
            co_return co_await send_status(std::move(news));
        case pulled::outcome::batches:
            co_return co_await send_batches(std::move(news.batches));
        case pulled::outcome::behind:
            co_return co_await catch_up();
        case pulled::outcome::idle:
            co_return true;
        case pulled::outcome::closing:
            co_return co_await say_bye();
        case pulled::outcome::cancelled:
            break;
    }
    co_return false;
}

net::awaitable<bool> event_stream::send_status(pulled news) {
    subscription_.told(news.status_version);
    co_return co_await send_notice(*news.status);
}

bool event_stream::has_lost_its_right() const {
    return options_.granted && options_.granted->ended().stop_requested();
}

net::awaitable<bool> event_stream::say_bye(std::string_view reason) {
    // In the middle of a frame nothing else can be said; the client resumes behind the last whole one.
    if (frame_sent_ != 0) co_return false;
    const auto bye = protocol::sse::bye(position_, reason);
    co_await send_notice(bye);
    co_return false;
}

net::awaitable<bool> event_stream::catch_up() {
    if (sources_.stopping.stop_requested()) co_return co_await say_bye();
    auto batch = sources_.files.find(position_);
    if (!batch) {
        auto read = [files = &sources_.files, position = position_, stopping = sources_.stopping] {
            return files->read(position, stopping);
        };
        auto next = co_await net::offload(sources_.live_workers, std::move(read));
        // A frame of which a part is out cannot be finished any more: the client resumes behind the last
        // whole one.
        if (!next.batch && frame_sent_ != 0) co_return false;
        if (!next.batch) position_ = next.position;
        if (next.gap) {
            const auto gap = protocol::sse::gap(next.gap->from, next.gap->to, "no longer kept");
            co_return co_await send_notice(gap);
        }
        batch = std::move(next.batch);
    }
    if (!batch) co_return true;
    std::vector<live::shared_batch> batches;
    batches.push_back(std::move(batch));
    co_return co_await send_batches(std::move(batches));
}

/// What the filter lets through of each batch; nothing at all if it lets everything through.
net::awaitable<std::vector<live::batch_matches>> event_stream::match(
    std::vector<live::shared_batch> batches) {
    std::vector<live::batch_matches> found;
    if (filter_.passes_everything()) co_return found;
    for (const auto& batch : batches) {
        auto at_once = filter_.at_once(batch);
        if (!at_once) break;
        found.push_back(std::move(at_once));
    }
    if (found.size() < batches.size()) {
        found = co_await sources_.matches.async_match(filter_.key(), std::move(batches), filter_.function(),
                                                      client_->executor(), net::asio::use_awaitable);
    }
    co_return found;
}

/// Fills `pieces` with what goes out next, at most max_pieces; returns the id up to which records were
/// examined.
protocol::record_id event_stream::choose(const std::vector<live::shared_batch>& batches,
                                         const std::vector<live::batch_matches>& matches,
                                         std::vector<piece>& pieces) const {
    auto examined = position_;
    for (std::size_t i = 0; i < batches.size(); ++i) {
        const auto& batch = batches[i];
        const auto id = examined + 1;
        if (id < batch->first_id() || id >= batch->end_id()) continue;
        if (notice_due_) {
            pieces.push_back({batch.get(), id, id + 1, batch->frame(id)});
            return id;
        }
        if (filter_.passes_everything()) {
            if (pieces.size() == max_pieces) return examined;
            pieces.push_back({batch.get(), id, batch->end_id(), batch->frames(id, batch->end_id())});
            examined = batch->end_id() - 1;
            continue;
        }
        const auto& wanted = *matches[i];
        for (auto it = std::ranges::lower_bound(wanted, id); it != wanted.end(); ++it) {
            const bool extends =
                !pieces.empty() && pieces.back().batch == batch.get() && pieces.back().to == *it;
            if (!extends) {
                if (pieces.size() == max_pieces) return examined;
                pieces.push_back({batch.get(), *it, *it, {}});
            }
            auto& run = pieces.back();
            run.to = *it + 1;
            run.bytes = batch->frames(run.from, run.to);
            examined = *it;
        }
        examined = batch->end_id() - 1;
    }
    return examined;
}

/// Moves the position over `sent` bytes of the pieces (the part of the first frame that was out before
/// included).
void event_stream::advance(const std::vector<piece>& pieces, std::size_t sent) {
    frame_sent_ = 0;
    std::uint64_t records = 0;
    for (const auto& run : pieces) {
        if (sent >= run.bytes.size()) {
            sent -= run.bytes.size();
            position_ = run.to - 1;
            records += run.to - run.from;
            continue;
        }
        auto id = run.from;
        for (; sent >= run.batch->frame(id).size(); ++id)
            sent -= run.batch->frame(id).size();
        // With nothing of it out, the records before the frame are all that has been examined for certain.
        position_ = id - 1;
        frame_sent_ = sent;
        records += id - run.from;
        break;
    }
    count_sent(records);
}

net::awaitable<bool> event_stream::send_batches(std::vector<live::shared_batch> batches) {
    const auto matches = co_await match(batches);
    if (std::ranges::find(matches, nullptr) != matches.end()) co_return false;
    if (peer_gone_) co_return false;
    const auto done = write(batches, matches);
    if (done != progress::blocked) co_return done == progress::all;
    batches.clear();
    co_return co_await wait_for_client();
}

/// Writes what the client takes of these batches at once.
event_stream::progress event_stream::write(const std::vector<live::shared_batch>& batches,
                                           const std::vector<live::batch_matches>& matches) {
    const auto begin = position_;
    for (;;) {
        std::vector<piece> pieces;
        const auto examined = choose(batches, matches, pieces);
        if (pieces.empty()) {
            position_ = examined;
            return examined == begin ? progress::broken : progress::all;
        }
        if (frame_sent_ > pieces.front().bytes.size())
            return progress::broken;  // the file has changed under the stream
        std::vector<net::asio::const_buffer> buffers;
        buffers.reserve(pieces.size());
        std::size_t total = 0;
        for (const auto& run : pieces) {
            const auto skip = buffers.empty() ? frame_sent_ : 0;
            buffers.emplace_back(run.bytes.data() + skip, run.bytes.size() - skip);
            total += run.bytes.size();
        }
        net::error_code error;
        const auto sent = client_->write_now(buffers, error) + frame_sent_;
        if (error && error != net::asio::error::would_block) return progress::broken;
        advance(pieces, sent);
        if (sent < total) return progress::blocked;
        position_ = examined;
        // With many pieces left, the rest is chosen anew.
        if (notice_due_ || pieces.size() < max_pieces) return progress::all;
    }
}

net::awaitable<bool> event_stream::wait_for_client() {
    const auto error = co_await client_->wait_writable(options_.stall);
    co_return !error;
}

net::awaitable<bool> event_stream::send_notice(const std::string& bytes) {
    const auto error = co_await write_all(*client_, bytes, options_.stall);
    co_return !error;
}

}  // namespace livelogd::http
