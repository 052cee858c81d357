// SPDX-License-Identifier: MIT
#include "daemon/alerts/webhook.hpp"

#include "daemon/alerts/name_lookup.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/impl/src.hpp>  // here alone, since nobody else uses it
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

namespace livelogd::alerts {
namespace {

namespace asio = net::asio;
namespace beast = boost::beast;
namespace ssl = asio::ssl;
using clock = std::chrono::steady_clock;

/// How often it is looked whether a name has been found.
constexpr auto lookup_step = std::chrono::milliseconds(20);

std::string request_text(const webhook_url& url, const std::string& body) {
    return "POST " + url.target + " HTTP/1.1\r\nHost: " + url.host_header()
           + "\r\nUser-Agent: livelogd/" LIVELOGD_VERSION
           + "\r\nContent-Type: application/json\r\nAccept: */*\r\nConnection: close\r\nContent-Length: "
           + std::to_string(body.size()) + "\r\n\r\n" + body;
}

net::awaitable<name_lookup::endpoints> addresses_of(const webhook_url& url, clock::time_point deadline) {
    const name_lookup lookup(url.host, url.port);
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (!lookup.done()) {
        if (clock::now() >= deadline) throw boost::system::system_error(beast::error::timeout);
        timer.expires_after(lookup_step);
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return lookup.result();
}

/// Writes the request and reads the head of the answer.
template <class Stream>
net::awaitable<unsigned> exchange(Stream& stream, const std::string& text) {
    const auto bytes = asio::buffer(text);
    co_await asio::async_write(stream, bytes, asio::use_awaitable);
    beast::flat_buffer buffer;
    beast::http::response_parser<beast::http::empty_body> parser;
    co_await beast::http::async_read_header(stream, buffer, parser, asio::use_awaitable);
    co_return parser.get().result_int();
}

net::awaitable<unsigned> post(const webhook_url& url, const std::string& text, clock::time_point deadline) {
    const auto endpoints = co_await addresses_of(url, deadline);
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    stream.expires_at(deadline);
    co_await stream.async_connect(endpoints, asio::use_awaitable);
    if (!url.tls) co_return co_await exchange(stream, text);

    ssl::context context(ssl::context::tls_client);
    context.set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
    context.set_default_verify_paths();
    ssl::stream<beast::tcp_stream&> secured(stream, context);
    secured.set_verify_mode(ssl::verify_peer);
    secured.set_verify_callback(ssl::host_name_verification(url.host));
    ::SSL_set_tlsext_host_name(secured.native_handle(), url.host.c_str());
    co_await secured.async_handshake(ssl::stream_base::client, asio::use_awaitable);
    co_return co_await exchange(secured, text);
}

}  // namespace

std::string post_result::sentence() const {
    return status == 0 ? trouble : "the answer was " + std::to_string(status);
}

net::awaitable<post_result> post_json(const webhook_url& url, const std::string& body,
                                      std::chrono::milliseconds limit) {
    post_result result;
    try {
        const auto text = request_text(url, body);
        const auto deadline = clock::now() + limit;
        const auto status = co_await post(url, text, deadline);
        result.status = status;
    } catch (const boost::system::system_error& error) {
        const bool too_slow = error.code() == beast::error::timeout;
        result.trouble = too_slow ? "no answer within the time limit" : error.code().message();
    } catch (const std::exception& error) {
        result.trouble = error.what();
    }
    co_return result;
}

}  // namespace livelogd::alerts
