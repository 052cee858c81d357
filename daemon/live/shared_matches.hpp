// SPDX-License-Identifier: MIT
// Which records of a batch a filter lets through: found once, for all streams that ask the same.
#pragma once

#include "daemon/live/event_batch.hpp"
#include "daemon/net/offload.hpp"
#include "daemon/net/types.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace livelogd::live {

/// The ids of the records that fit, rising. Null: they could not be found (the disk, or memory).
using batch_matches = std::shared_ptr<const std::vector<protocol::record_id>>;

/// Goes through one batch. On a worker thread; may block and take long, may throw.
using match_function = std::function<std::vector<protocol::record_id>(const event_batch&)>;

/// Any thread; owned by the application. `workers` must outlive it and be joined before it is destroyed.
///
/// What a client asks for may be costly, so nothing of it runs on an I/O thread: a batch that nobody has
/// looked at with this filter goes to a worker, and whoever asks for the same meanwhile waits for the same
/// result.
class shared_matches {
  public:
    explicit shared_matches(net::worker_pool& workers) : workers_(workers) {}
    shared_matches(const shared_matches&) = delete;
    shared_matches& operator=(const shared_matches&) = delete;

    /// The result, if it is at hand. Quick.
    batch_matches find(const std::string& filter, const shared_batch& batch);

    /// Keeps a result that somebody has found himself.
    void keep(const std::string& filter, const shared_batch& batch, batch_matches found);

    /// The results for these batches, in their order. Completes on `reader`. `filter`: the key of what
    /// `match` does: equal keys must give equal results.
    template <class Token>
    auto async_match(std::string filter, std::vector<shared_batch> batches, match_function match,
                     net::asio::any_io_executor reader, Token&& token) {
        return net::asio::async_initiate<Token, void(std::vector<batch_matches>)>(
            [this, filter = std::move(filter), batches = std::move(batches), match = std::move(match),
             reader = std::move(reader)](auto done) mutable {
                start(std::move(filter), std::move(batches), std::move(match), std::move(reader),
                      handler(std::move(done)));
            },
            token);
    }

  private:
    using handler = net::asio::any_completion_handler<void(std::vector<batch_matches>)>;

    /// One call of async_match.
    struct question {
        net::asio::any_io_executor reader;
        handler done;
        std::vector<batch_matches> results;
        std::size_t missing = 0;
    };
    struct waiting {
        std::shared_ptr<question> who;
        std::size_t place = 0;  ///< of the batch among those that were asked for
    };
    /// A batch that a worker goes through, or has gone through.
    struct entry {
        std::string filter;
        std::weak_ptr<const event_batch> batch;
        batch_matches found;           ///< null while a worker is at it
        std::vector<waiting> waiters;  ///< until then
    };
    using entries = std::list<entry>;

    void start(std::string filter, std::vector<shared_batch> batches, match_function match,
               net::asio::any_io_executor reader, handler done);
    void work(const std::string& filter, const std::vector<shared_batch>& batches,
              const match_function& match);
    void finish(const std::string& filter, const shared_batch& batch, batch_matches found);
    entries::iterator find_entry(const std::string& filter, const shared_batch& batch);
    void drop_oldest();
    static void answer(const std::shared_ptr<question>& asked);

    net::worker_pool& workers_;
    std::mutex mutex_;
    entries entries_;  ///< newest first
};

}  // namespace livelogd::live
