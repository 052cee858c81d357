// SPDX-License-Identifier: MIT
#include "daemon/alerts/name_lookup.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <atomic>
#include <thread>

namespace livelogd::alerts {

struct name_lookup::state {
    std::atomic<bool> done{false};
    boost::system::error_code error;  ///< to be read once it is done, as are the endpoints
    endpoints found;
};

name_lookup::name_lookup(const std::string& host, const std::string& port)
    : state_(std::make_shared<state>()) {
    std::thread([shared = state_, host, port] {
        boost::asio::io_context context;
        boost::asio::ip::tcp::resolver resolver(context);
        for (const auto& entry : resolver.resolve(host, port, shared->error))
            shared->found.push_back(entry.endpoint());
        if (!shared->error && shared->found.empty()) shared->error = boost::asio::error::host_not_found;
        shared->done.store(true, std::memory_order_release);
    }).detach();
}

bool name_lookup::done() const {
    return state_->done.load(std::memory_order_acquire);
}

name_lookup::endpoints name_lookup::result() const {
    if (state_->error) throw boost::system::system_error(state_->error);
    return state_->found;
}

}  // namespace livelogd::alerts
