// SPDX-License-Identifier: MIT
#include "daemon/app/heartbeat.hpp"

#include <algorithm>
#include <utility>

namespace livelogd::app {
namespace {

using namespace std::chrono_literals;

/// How old the line may get.
constexpr std::chrono::steady_clock::duration line_period = 5s;

/// With commas between thousands.
std::string readable(std::uint64_t number) {
    auto text = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), ",");
    return text;
}

std::string counted(std::uint64_t number, const std::string& thing) {
    return readable(number) + " " + thing + (number == 1 ? "" : "s");
}

}  // namespace

std::string status_line(const daemon_state& now) {
    std::string line = "storing; ";
    if (now.trouble)
        line = "STORING FAILS (" + *now.trouble + "), " + counted(now.waiting, "record") + " waiting; ";
    return line + counted(now.stored, "record") + " since the start, " + counted(now.senders, "sender") + ", "
           + counted(now.streams, "live stream");
}

heartbeat::heartbeat(const net::asio::any_io_executor& strand, const service_manager& manager,
                     std::function<daemon_state()> state)
    : timer_(strand), manager_(manager), state_(std::move(state)), period_(line_period) {
    if (const auto patience = manager.patience()) {
        period_ = std::min<std::chrono::steady_clock::duration>(period_, *patience / 2);
    }
}

void heartbeat::start() {
    if (manager_.listens()) beat();
}

void heartbeat::stop() {
    stopped_ = true;
    timer_.cancel();
}

void heartbeat::beat() {
    if (manager_.patience()) manager_.still_alive();
    auto line = status_line(state_());
    if (line != told_) {
        manager_.status(line);
        told_ = std::move(line);
    }
    timer_.expires_after(period_);
    timer_.async_wait([this](const net::error_code& error) {
        if (!error && !stopped_) beat();
    });
}

}  // namespace livelogd::app
