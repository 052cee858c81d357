// SPDX-License-Identifier: MIT
// Telling one webhook what has fired, in order, until it has taken it.
#pragma once

#include "daemon/alerts/alert_counts.hpp"
#include "daemon/alerts/webhook.hpp"
#include "daemon/alerts/webhook_url.hpp"
#include "daemon/net/types.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace livelogd::alerts {

/// How long a receiver that fails is tried. The pause doubles from first to longest.
struct patience {
    std::chrono::milliseconds first_pause{1'000};
    std::chrono::milliseconds longest_pause{60'000};
    std::chrono::milliseconds give_up{3'600'000};  ///< after the first attempt
};

/// Lives on the executor it is given; owned by the watch, and kept alive by its own attempts.
class delivery : public std::enable_shared_from_this<delivery> {
  public:
    /// Told of each message that will not be delivered any more, with the reason.
    using failure_sink = std::function<void(const std::string& why)>;

    /// More than this many do not wait: the oldest goes.
    static constexpr std::size_t most_waiting = 100;

    delivery(net::asio::any_io_executor executor, webhook_url url, std::chrono::milliseconds timeout,
             patience times, alert_counts& count, failure_sink failed);
    ~delivery();

    void post(std::string body);

    /// Gives up what waits and pauses no more; an attempt that is under way goes on.
    void stop();

    [[nodiscard]] bool idle() const { return !runs_; }

  private:
    net::awaitable<void> run();
    net::awaitable<void> deliver_first();
    void drop_first(const std::string& why);
    void take_first_out(std::atomic<std::uint64_t>& outcome);

    net::asio::any_io_executor executor_;
    net::asio::steady_timer pause_;
    const webhook_url url_;
    const std::chrono::milliseconds timeout_;
    const patience times_;
    alert_counts& count_;
    failure_sink failed_;
    std::deque<std::string> waiting_;  ///< the first is under way while runs_
    bool runs_ = false;
    bool stopped_ = false;
};

}  // namespace livelogd::alerts
