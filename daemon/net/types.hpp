// SPDX-License-Identifier: MIT
// The Asio types of the daemon, in one place.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

namespace livelogd::net {

namespace asio = boost::asio;
using boost::system::error_code;

template <class T>
using awaitable = asio::awaitable<T>;

/// One socket type for TCP and Unix sockets: session code is compiled once.
using stream_protocol = asio::generic::stream_protocol;
using stream_socket = stream_protocol::socket;

/// The completion token of the daemon's coroutines: errors come as values.
inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace livelogd::net
