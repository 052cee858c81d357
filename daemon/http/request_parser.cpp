// SPDX-License-Identifier: MIT
#include "daemon/http/request_parser.hpp"

#include "protocol/text.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <system_error>

namespace livelogd::http {
namespace {

namespace beast_http = boost::beast::http;

[[noreturn]] void refuse(const std::string& why) {
    throw bad_request(400, why);
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

bool is_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Of digits; more than can be counted is told as the most that can.
std::uint64_t length_of(std::string_view digits) {
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    return error == std::errc{} ? length : std::numeric_limits<std::uint64_t>::max();
}

/// What of `headers` decides where a request ends, and who it is for.
void check_framing(request& head) {
    std::size_t hosts = 0;
    std::size_t lengths = 0;
    std::size_t codings = 0;
    for (const auto& [name, value] : head.headers) {
        if (name == "host") ++hosts;
        if (name == "content-length") {
            ++lengths;
            if (!is_digits(value)) refuse("Content-Length must be a number");
            head.body_length = length_of(value);
            head.has_body = *head.body_length > 0;
        }
        if (name == "transfer-encoding") {
            ++codings;
            if (lower_case(value) != "chunked") refuse("this Transfer-Encoding is not understood");
            head.has_body = true;
        }
        if (name == "content-encoding") refuse("request bodies are not read, compressed ones neither");
    }
    if (hosts == 0) refuse("the Host header is missing");
    if (hosts > 1) refuse("there is more than one Host header");
    if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0))
        refuse("the length of the body is told twice");
    if (codings > 0 && head.http_1_0) refuse("HTTP/1.0 has no Transfer-Encoding");
    const bool body_makes_sense = head.method != "GET" && head.method != "HEAD" && head.method != "OPTIONS";
    if (head.has_body && !body_makes_sense) refuse("a " + head.method + " request has no body here");
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Decodes percent escapes; in a query '+' is a space.
std::string decode(std::string_view text, bool in_query) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '+' && in_query) {
            c = ' ';
        } else if (c == '%') {
            const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                refuse("'%' must be followed by two hexadecimal digits (a percent sign itself is %25)");
            }
            c = static_cast<char>(high * 16 + low);
            if (c == '/' && !in_query) refuse("the path holds an encoded slash");
            i += 2;
        }
        if (c == '\0') refuse("the address holds a zero byte");
        decoded.push_back(c);
    }
    if (protocol::valid_utf8_prefix(decoded) != decoded.size()) refuse("the address is not UTF-8");
    return decoded;
}

void parse_query(std::string_view query, parameter_list& parameters) {
    for (std::size_t at = 0; at < query.size();) {
        const auto end = std::min(query.find('&', at), query.size());
        const auto part = query.substr(at, end - at);
        at = end + 1;
        if (part.empty()) continue;
        const auto equals = std::min(part.find('='), part.size());
        const auto value = equals < part.size() ? part.substr(equals + 1) : std::string_view{};
        parameters.emplace_back(decode(part.substr(0, equals), true), decode(value, true));
    }
}

}  // namespace

parameter_list parse_form(std::string_view body) {
    parameter_list fields;
    parse_query(body, fields);
    return fields;
}

void parse_target(std::string_view target, request& into) {
    if (std::ranges::any_of(target, [](char c) { return static_cast<unsigned char>(c) > 126; })) {
        refuse("the address holds bytes that have to be percent-encoded");
    }
    if (target == "*") {
        into.path = "*";
        return;
    }
    if (!target.starts_with('/')) {
        // The absolute form, as sent to proxies. Its host counts, not the Host header's.
        const auto lower = lower_case(target.substr(0, 8));
        const std::size_t scheme = lower.starts_with("http://") ? 7 : lower.starts_with("https://") ? 8 : 0;
        if (scheme == 0) refuse("the address must begin with '/'");
        target.remove_prefix(scheme);
        const auto end = std::min(target.find_first_of("/?"), target.size());
        into.authority = target.substr(0, end);
        if (into.authority.empty()) refuse("the address names no host");
        target.remove_prefix(end);
    }
    if (const auto fragment = target.find('#'); fragment != std::string_view::npos)
        target = target.substr(0, fragment);
    const auto question = std::min(target.find('?'), target.size());
    into.path = decode(target.substr(0, question), false);
    if (into.path.empty()) into.path = "/";
    if (question < target.size()) parse_query(target.substr(question + 1), into.parameters);
}

std::optional<parsed_head> parse_request_head(std::string_view bytes, std::size_t limit) {
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos ? bytes.size() >= limit : end + 4 > limit) {
        const bool long_line = bytes.substr(0, limit).find("\r\n") == std::string_view::npos;
        throw bad_request(long_line ? 414 : 431, long_line
                                                     ? "the address is too long"
                                                     : "the request's header is too long: at most "
                                                           + std::to_string(limit) + " bytes are taken");
    }
    const auto head_bytes = bytes.substr(0, end == std::string_view::npos ? bytes.size() : end + 4);
    if (head_bytes.find("\r\n ") != std::string_view::npos
        || head_bytes.find("\r\n\t") != std::string_view::npos) {
        refuse("header lines must not be folded");
    }

    beast_http::request_parser<beast_http::empty_body> parser;
    parser.header_limit(
        static_cast<std::uint32_t>(std::min<std::size_t>(limit, std::numeric_limits<std::uint32_t>::max())));
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    boost::system::error_code error;
    parser.put(boost::asio::buffer(head_bytes.data(), head_bytes.size()), error);
    if (error == beast_http::error::need_more && end == std::string_view::npos) return std::nullopt;
    // An announced body is not ours to read: what follows the head stays unread.
    if (error && error != beast_http::error::need_more)
        refuse("this is not a request that can be read: " + error.message());
    if (!parser.is_header_done()) {
        // The head has ended, and still the parser waits: "GET / x" is shorter than any request line.
        if (end != std::string_view::npos) refuse("this is not a request that can be read");
        return std::nullopt;
    }

    const auto& message = parser.get();
    parsed_head result;
    result.size = head_bytes.size();
    request& head = result.head;
    head.method = message.method_string();
    head.http_1_0 = message.version() < 11;
    head.keep_alive = message.keep_alive();
    for (const auto& field : message) {
        head.headers.emplace_back(lower_case({field.name_string().data(), field.name_string().size()}),
                                  std::string(field.value()));
    }
    check_framing(head);
    parse_target({message.target().data(), message.target().size()}, head);
    return result;
}

}  // namespace livelogd::http
