// SPDX-License-Identifier: MIT
#include "daemon/http/socket_connection.hpp"

#include <boost/asio/error.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace livelogd::http {
namespace {

namespace asio = net::asio;
constexpr std::size_t max_buffers = 64;

connection::peer_name peer_of(int fd) {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return {};
    std::array<char, INET6_ADDRSTRLEN> text{};
    switch (name.ss_family) {
        case AF_UNIX:
            return {.is_unix = true};
        case AF_INET:
            ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(name).sin_addr, text.data(),
                        text.size());
            break;
        case AF_INET6:
            ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(name).sin6_addr, text.data(),
                        text.size());
            break;
        default:
            break;
    }
    return {.address = text.data()};
}

}  // namespace

socket_connection::socket_connection(net::stream_socket socket, client_counters& count)
    : socket_(std::move(socket)),
      count_(count),
      executor_(socket_.get_executor()),
      peer_(peer_of(socket_.native_handle())),
      timer_(executor_) {
    net::error_code ignored;
    socket_.non_blocking(true, ignored);
}

net::awaitable<connection::read_result> socket_connection::read_some(asio::mutable_buffer into,
                                                                     duration limit) {
    set_deadline(read_deadline_, limit);
    const auto [error, size] = co_await socket_.async_read_some(asio::buffer(into), net::as_result);
    read_deadline_ = never;
    co_return read_result{verdict(error), size};
}

std::size_t socket_connection::write_now(std::span<const asio::const_buffer> buffers,
                                         net::error_code& error) {
    // One system call for many buffers: Asio's own write would split them at 64 KiB (and asserts on a pending
    // wait).
    std::array<iovec, max_buffers> vectors;
    const auto count = std::min(buffers.size(), max_buffers);
    for (std::size_t i = 0; i < count; ++i) {
        vectors[i] = {const_cast<void*>(buffers[i].data()), buffers[i].size()};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
        error = {};
        return static_cast<std::size_t>(sent);
    }
    error.assign(errno, boost::system::system_category());
    if (error == asio::error::try_again || error == asio::error::interrupted)
        error = asio::error::would_block;
    return 0;
}

net::awaitable<net::error_code> socket_connection::wait_writable(duration limit) {
    set_deadline(write_deadline_, limit);
    const auto [error] = co_await socket_.async_wait(asio::socket_base::wait_write, net::as_result);
    write_deadline_ = never;
    const auto result = verdict(error);
    if (result == asio::error::timed_out) count_.stalled.fetch_add(1, std::memory_order_relaxed);
    co_return result;
}

void socket_connection::end_writing() {
    net::error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void socket_connection::close() {
    net::error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
}

net::error_code socket_connection::verdict(net::error_code error) const {
    return error && timed_out_ ? net::error_code(asio::error::timed_out) : error;
}

void socket_connection::set_deadline(time_point& which, duration limit) {
    if (limit == no_limit) {
        which = never;
        return;
    }
    which = std::chrono::steady_clock::now() + limit;
    if (which < armed_for_) arm();
}

void socket_connection::arm() {
    armed_for_ = std::min(read_deadline_, write_deadline_);
    if (armed_for_ == never) return;
    timer_.expires_at(armed_for_);
    timer_.async_wait([weak = weak_from_this()](const net::error_code& error) {
        const auto self = weak.lock();
        if (!self || error) return;
        if (std::min(self->read_deadline_, self->write_deadline_) <= std::chrono::steady_clock::now()) {
            self->timed_out_ = true;
            net::error_code ignored;
            self->socket_.cancel(ignored);
            self->armed_for_ = never;
        } else {
            self->arm();
        }
    });
}

net::awaitable<net::error_code> write_all(connection& to, std::string_view bytes,
                                          connection::duration stall) {
    while (!bytes.empty()) {
        net::error_code error;
        const std::array buffers{net::asio::const_buffer(bytes.data(), bytes.size())};
        bytes.remove_prefix(to.write_now(buffers, error));
        if (error == net::asio::error::would_block) error = co_await to.wait_writable(stall);
        if (error) co_return error;
    }
    co_return net::error_code{};
}

}  // namespace livelogd::http
