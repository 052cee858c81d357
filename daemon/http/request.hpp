// SPDX-License-Identifier: MIT
// A request as the endpoints see it. No Beast, no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::http {

class grant;

/// A request that cannot be answered as asked. The text becomes the answer's `error`.
class bad_request : public std::runtime_error {
  public:
    bad_request(unsigned status, const std::string& sentence, std::string parameter = {},
                std::string hint = {}, std::optional<std::size_t> at = std::nullopt)
        : std::runtime_error(sentence),
          status_(status),
          parameter_(std::move(parameter)),
          hint_(std::move(hint)),
          at_(at) {}
    /// A parameter is at fault: 400. `at`: where in its value, if that is known, in characters.
    static bad_request in_parameter(std::string_view name, const std::string& sentence,
                                    std::optional<std::size_t> at = std::nullopt) {
        return {400, sentence, std::string(name), {}, at};
    }
    [[nodiscard]] unsigned status() const { return status_; }
    [[nodiscard]] const std::string& parameter() const { return parameter_; }
    /// What would help, where the sentence is fixed.
    [[nodiscard]] const std::string& hint() const { return hint_; }
    /// How many characters of the parameter's value stand before what is wrong.
    [[nodiscard]] std::optional<std::size_t> at() const { return at_; }

  private:
    unsigned status_;
    std::string parameter_;
    std::string hint_;
    std::optional<std::size_t> at_;
};

/// Decoded query parameters, in the order given.
using parameter_list = std::vector<std::pair<std::string, std::string>>;

struct request {
    std::string method;  ///< as sent: "GET"
    std::string path;    ///< percent-decoded, without the query
    parameter_list parameters;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case, in the order sent
    std::string authority;  ///< the host of an absolute-form target; empty for the usual form
    bool http_1_0 = false;
    bool keep_alive = true;  ///< the client wants the connection kept
    /// Triggered when the client has hung up: nobody waits for the answer any more.
    std::stop_token gone = {};
    bool has_body = false;  ///< a body is announced and not read: the connection ends with the answer
    std::optional<std::uint64_t> body_length = {};  ///< that is announced
    std::string body = {};                          ///< of a form, once it is read
    std::string peer = {};  ///< numeric address of who connected; empty if that was over a Unix socket
    bool over_unix_socket = false;

    // What admission finds out.
    std::string client = {};  ///< the address it comes from: the peer's, or the one a trusted proxy tells
    bool tls = false;         ///< the browser uses TLS, as far as it can be told
    std::shared_ptr<grant> granted = {};  ///< the right it was let in with; null if none was needed

    /// The value of the first header of that name (lower case).
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const {
        for (const auto& [n, value] : headers) {
            if (n == name) return value;
        }
        return std::nullopt;
    }
};

}  // namespace livelogd::http
