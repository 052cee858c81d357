// SPDX-License-Identifier: MIT
#include "daemon/http/reply.hpp"

#include "protocol/malformed.hpp"

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <ctime>
#include <sstream>

namespace livelogd::http {
namespace {

namespace beast_http = boost::beast::http;

/// RFC 9110, section 5.6.7.
std::string http_date() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::array<char, 32> text{};
    // The C locale's names: the daemon never sets another.
    const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return {text.data(), size};
}

}  // namespace

reply error_reply(unsigned status, std::string_view sentence, std::string_view parameter,
                  std::string_view hint, std::optional<std::size_t> at) {
    boost::json::object error;
    error["error"] = protocol::to_valid_utf8(sentence, 3 * sentence.size());
    if (!parameter.empty()) error["parameter"] = parameter;
    if (at) error["at"] = *at;
    if (!hint.empty()) error["hint"] = hint;
    return {.status = status, .body = boost::json::serialize(error) + "\n"};
}

reply error_reply(const bad_request& refused) {
    return error_reply(refused.status(), refused.what(), refused.parameter(), refused.hint(), refused.at());
}

std::string serialize_head(const reply& answer,
                           const std::vector<std::pair<std::string, std::string>>& extra) {
    beast_http::response_header<> head;
    head.version(11);
    head.result(answer.status);
    head.set(beast_http::field::date, http_date());
    if (!answer.content_type.empty()) head.set(beast_http::field::content_type, answer.content_type);
    head.set(beast_http::field::cache_control, "no-store");
    head.set("X-Content-Type-Options", "nosniff");
    head.set("Cross-Origin-Resource-Policy", "same-origin");
    head.set("Referrer-Policy", "no-referrer");
    for (const auto& [name, value] : answer.headers)
        head.set(name, value);
    for (const auto& [name, value] : extra)
        head.set(name, value);
    std::ostringstream bytes;
    bytes << head;
    return std::move(bytes).str();
}

}  // namespace livelogd::http
