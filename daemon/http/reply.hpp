// SPDX-License-Identifier: MIT
// An answer as the endpoints make it; the session turns it into bytes.
#pragma once

#include "daemon/http/connection.hpp"
#include "daemon/http/request.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace livelogd::http {

/// A body that is made while it is sent, in bounded memory.
class body_source {
  public:
    virtual ~body_source() = default;
    /// Appends the next piece; false once the body is complete. An exception ends the connection, so that
    /// what has been sent cannot be taken for the whole.
    virtual net::awaitable<bool> next(std::string& out) = 0;
    /// Asked while the client is slow: whether the answer is to be given up. Not while next() runs.
    virtual bool is_overdue() { return false; }
};

/// A body without an end: the function writes `head`, then takes the connection over until it is closed.
using stream_body = std::function<net::awaitable<void>(std::shared_ptr<connection>, std::string head)>;

struct reply {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers = {};
    /// A text; bytes that live as long as the program; a body made on the way; a stream.
    std::variant<std::string, std::string_view, std::unique_ptr<body_source>, stream_body> body =
        std::string{};
};

/// `{"error":"<sentence>","parameter":"<name>","at":<characters>,"hint":"<what helps>"}`, all but the first
/// if there are such.
reply error_reply(unsigned status, std::string_view sentence, std::string_view parameter = {},
                  std::string_view hint = {}, std::optional<std::size_t> at = std::nullopt);
reply error_reply(const bad_request& refused);

/// The bytes of the reply's head. Every reply gets the daemon's security headers here. `extra`: lines of the
/// connection's own (length, keep-alive, CORS).
std::string serialize_head(const reply& answer,
                           const std::vector<std::pair<std::string, std::string>>& extra);

}  // namespace livelogd::http
