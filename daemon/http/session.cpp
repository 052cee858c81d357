// SPDX-License-Identifier: MIT
#include "daemon/http/session.hpp"

#include "daemon/http/admission.hpp"
#include "daemon/http/request_parser.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <charconv>
#include <exception>
#include <optional>
#include <stop_token>
#include <vector>

namespace livelogd::http {
namespace {

using clock = std::chrono::steady_clock;
using header_list = std::vector<std::pair<std::string, std::string>>;

/// After an answer to a request that was not read to its end: how long, and how much of the rest, is taken in
/// before the connection is closed, so that the answer is not lost to a reset.
constexpr auto linger_time = std::chrono::milliseconds(500);
constexpr std::size_t linger_bytes = 256u << 10;

/// How long an answer may still take to make once the client has closed its side of the connection.
constexpr auto patience_after_eof = std::chrono::seconds(1);

/// The longest form: a token of the greatest length with every character escaped, and some.
constexpr std::size_t form_bytes = 4096;
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

std::string chunk(std::string_view data) {
    std::array<char, 16> size{};
    const auto [end, error] = std::to_chars(size.data(), size.data() + size.size(), data.size(), 16);
    std::string framed(size.data(), end);
    framed.append("\r\n").append(data).append("\r\n");
    return framed;
}

/// One conversation.
class conversation {
  public:
    conversation(std::shared_ptr<connection> client, const router& routes, const current_access& access,
                 session_limits limits, authenticator* who)
        : client_(std::move(client)),
          routes_(routes),
          access_(access),
          limits_(limits),
          who_(who),
          peer_(client_->peer()) {}

    net::awaitable<void> run(bool overloaded) {
        bool goes_on = true;
        while (goes_on) {
            std::optional<bad_request> refused;
            std::optional<request> asked;
            try {
                asked = co_await read_request();
                if (!asked) break;
                if (routes_.takes_form(*asked)) {
                    const bool whole = co_await read_form(*asked);
                    if (!whole) break;
                }
            } catch (const bad_request& error) {
                refused = error;
            }
            if (overloaded)
                refused = bad_request(503, "too many connections (max_http_connections); try again");
            if (refused) {
                auto answer = error_reply(*refused);
                if (refused->status() == 503) answer.headers.emplace_back("Retry-After", "1");
                const request* about = asked ? &*asked : nullptr;
                co_await send(std::move(answer), about, false);
                co_await linger();
                break;
            }
            auto answer = co_await make_answer_watched(*asked);
            goes_on = co_await send(std::move(answer), &*asked, asked->keep_alive && !asked->has_body);
            if (asked->has_body) co_await linger();
        }
        client_->close();
    }

  private:
    /// Nothing when the client is gone or stays silent. Throws bad_request.
    net::awaitable<std::optional<request>> read_request() {
        // Between two requests a connection may rest, and blank lines do not make the rest longer; once a
        // request has begun, it has to come.
        bool resting = !first_;
        first_ = false;
        auto deadline = clock::now() + (resting ? limits_.stall : limits_.header_time);
        for (;;) {
            drop_blank_lines();
            const bool begun = !received_.empty() && received_ != "\r";
            if (resting && begun) {
                resting = false;
                deadline = clock::now() + limits_.header_time;
            }
            if (begun) {
                if (auto parsed = parse_request_head(received_, limits_.header_bytes)) {
                    received_.erase(0, parsed->size);
                    co_return std::move(parsed->head);
                }
            }
            const auto limit = deadline - clock::now();
            std::array<char, 4096> piece;
            connection::read_result got{net::asio::error::timed_out, 0};
            if (limit > clock::duration::zero())
                got = co_await client_->read_some(net::asio::buffer(piece), limit);
            if (got.error == net::asio::error::timed_out && begun)
                throw bad_request(408, "the request took too long to arrive");
            if (got.error) co_return std::nullopt;
            received_.append(piece.data(), got.size);
        }
    }

    /// Takes the body of a request that sends a form. False if the client is gone. Throws bad_request.
    net::awaitable<bool> read_form(request& asked) {
        if (asked.has_body && !asked.body_length)
            throw bad_request(411, "a form must tell its length (Content-Length)");
        const auto length = asked.body_length.value_or(0);
        if (length > form_bytes) {
            throw bad_request(413, "a form may have at most " + std::to_string(form_bytes) + " bytes here");
        }
        const auto size = static_cast<std::size_t>(length);
        if (received_.size() < size && asked.header("expect").value_or("") == "100-continue"
            && !asked.http_1_0) {
            const auto error = co_await write_all(*client_, go_on, limits_.stall);
            if (error) co_return false;
        }
        const auto deadline = clock::now() + limits_.header_time;
        while (received_.size() < size) {
            const auto limit = deadline - clock::now();
            std::array<char, 4096> piece;
            connection::read_result got{net::asio::error::timed_out, 0};
            if (limit > clock::duration::zero())
                got = co_await client_->read_some(net::asio::buffer(piece), limit);
            if (got.error == net::asio::error::timed_out)
                throw bad_request(408, "the form took too long to arrive");
            if (got.error) co_return false;
            received_.append(piece.data(), got.size);
        }
        asked.body = received_.substr(0, size);
        received_.erase(0, size);
        asked.has_body = false;
        co_return true;
    }

    /// Those before a request are to be ignored (RFC 9112, section 2.2).
    void drop_blank_lines() {
        std::size_t blank = 0;
        while (received_.compare(blank, 2, "\r\n") == 0)
            blank += 2;
        received_.erase(0, blank);
    }

    /// While the answer is made, somebody looks whether the client is still there.
    net::awaitable<reply> make_answer_watched(request& asked) {
        std::stop_source gone;
        asked.gone = gone.get_token();
        net::asio::cancellation_signal enough;
        bool watching = true;
        net::asio::steady_timer watch_end(client_->executor(), clock::time_point::max());
        auto watch = watch_client(gone);
        net::asio::co_spawn(client_->executor(), std::move(watch),
                            net::asio::bind_cancellation_slot(enough.slot(), [&](const std::exception_ptr&) {
                                watching = false;
                                watch_end.cancel();
                            }));
        auto answer = co_await make_answer(asked);
        enough.emit(net::asio::cancellation_type::terminal);
        while (watching)
            co_await watch_end.async_wait(net::as_result);
        co_return answer;
    }

    /// Triggers `gone` once the client has hung up. What it sends meanwhile belongs to its next request.
    net::awaitable<void> watch_client(std::stop_source gone) {
        std::array<char, 1024> piece;
        while (received_.size() < limits_.header_bytes) {
            const auto got = co_await client_->read_some(net::asio::buffer(piece), connection::no_limit);
            if (got.error == net::asio::error::operation_aborted) co_return;
            if (got.error == net::asio::error::eof) {
                // It may have closed its side only, and still wait: for what is at hand, not for a long
                // search.
                net::asio::steady_timer patience(client_->executor(), patience_after_eof);
                const auto [stopped] = co_await patience.async_wait(net::as_result);
                if (!stopped) gone.request_stop();
                co_return;
            }
            if (got.error) {
                gone.request_stop();
                co_return;
            }
            received_.append(piece.data(), got.size);
        }
    }

    net::awaitable<reply> make_answer(request& asked) {
        asked.peer = peer_.address;
        asked.over_unix_socket = peer_.is_unix;
        const auto rules = access_.load();
        auto turned_away = turn_away(asked, *rules, routes_, who_);
        if (turned_away) co_return *std::move(turned_away);
        co_return co_await routes_.answer(asked);
    }

    header_list connection_headers(const request* asked) const {
        header_list extra;
        const auto rules = access_.load();
        if (!rules->cors_allowed_origins.empty()) extra.emplace_back("Vary", "Origin");
        if (asked == nullptr) return extra;
        if (auto origin = rules->cors_origin(*asked)) {
            extra.emplace_back("Access-Control-Allow-Origin", *std::move(origin));
            if (asked->method == "OPTIONS") {
                extra.emplace_back("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
                extra.emplace_back("Access-Control-Allow-Headers",
                                   "Authorization, Last-Event-ID, Cache-Control");
                extra.emplace_back("Access-Control-Max-Age", "600");
            }
        }
        return extra;
    }

    /// Returns whether the connection can be used for another request. `asked`: null if it could not be read.
    net::awaitable<bool> send(reply answer, const request* asked, bool keep_alive) {
        routes_.count(asked, answer.status);
        const bool head_only = asked != nullptr && asked->method == "HEAD";
        auto extra = connection_headers(asked);
        if (auto* stream = std::get_if<stream_body>(&answer.body)) {
            extra.emplace_back("Connection", "close");
            auto head = serialize_head(answer, extra);
            if (head_only) {
                co_await write_all(*client_, head, limits_.stall);
            } else {
                co_await (*stream)(client_, std::move(head));
            }
            co_return false;
        }
        if (auto* source = std::get_if<std::unique_ptr<body_source>>(&answer.body)) {
            const bool chunked = asked != nullptr && !asked->http_1_0;
            keep_alive = keep_alive && chunked;
            if (chunked) extra.emplace_back("Transfer-Encoding", "chunked");
            extra.emplace_back("Connection", keep_alive ? "keep-alive" : "close");
            const auto head = serialize_head(answer, extra);
            const auto error = co_await write_all(*client_, head, limits_.stall);
            if (error) co_return false;
            if (head_only) co_return keep_alive;
            const bool whole = co_await send_pieces(**source, chunked);
            co_return whole&& keep_alive;
        }
        const auto* text = std::get_if<std::string>(&answer.body);
        const std::string_view body = text != nullptr ? *text : std::get<std::string_view>(answer.body);
        if (answer.status != 204 && answer.status != 304)
            extra.emplace_back("Content-Length", std::to_string(body.size()));
        extra.emplace_back("Connection", keep_alive ? "keep-alive" : "close");
        auto bytes = serialize_head(answer, extra);
        if (!head_only) bytes.append(body);
        const auto error = co_await write_all(*client_, bytes, limits_.stall);
        co_return keep_alive && !error;
    }

    net::awaitable<bool> send_pieces(body_source& source, bool chunked) {
        for (bool more = true; more;) {
            std::string piece;
            try {
                more = co_await source.next(piece);
            } catch (const std::exception&) {
                co_return false;  // without the last chunk the client knows that this is not all
            }
            if (piece.empty()) continue;
            if (chunked) piece = chunk(piece);
            const bool taken = co_await send_piece(piece, source);
            if (!taken) co_return false;
        }
        if (!chunked) co_return true;
        const auto error = co_await write_all(*client_, "0\r\n\r\n", limits_.stall);
        co_return !error;
    }

    net::awaitable<bool> send_piece(std::string_view bytes, body_source& source) {
        while (!bytes.empty()) {
            net::error_code error;
            const std::array buffers{net::asio::const_buffer(bytes.data(), bytes.size())};
            bytes.remove_prefix(client_->write_now(buffers, error));
            if (!error) continue;
            if (error != net::asio::error::would_block || source.is_overdue()) co_return false;
            error = co_await client_->wait_writable(limits_.stall);
            if (error) co_return false;
        }
        co_return true;
    }

    net::awaitable<void> linger() {
        client_->end_writing();
        const auto deadline = clock::now() + linger_time;
        std::array<char, 4096> piece;
        for (std::size_t taken = 0; taken < linger_bytes;) {
            const auto left = deadline - clock::now();
            if (left <= clock::duration::zero()) break;
            const auto [error, size] = co_await client_->read_some(net::asio::buffer(piece), left);
            if (error) break;
            taken += size;
        }
    }

    std::shared_ptr<connection> client_;
    const router& routes_;
    const current_access& access_;
    session_limits limits_;
    authenticator* who_;
    connection::peer_name peer_;
    std::string received_;
    bool first_ = true;
};

}  // namespace

net::awaitable<void> run_session(std::shared_ptr<connection> client, const router& routes,
                                 const current_access& access, session_limits limits, bool overloaded,
                                 authenticator* who) {
    conversation talk(std::move(client), routes, access, limits, who);
    co_await talk.run(overloaded);
}

}  // namespace livelogd::http
