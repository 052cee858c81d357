// SPDX-License-Identifier: MIT
// HTTP read a second time, from outside: the requests that a peer has sent, and the answers that it got.
#pragma once

#include "tests/fuzz/require.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::fuzz {

inline std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    }
    return result;
}

inline bool is_token(std::string_view text) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
               || others.find(c) != std::string_view::npos;
    });
}

using header_lines = std::vector<std::pair<std::string, std::string>>;

/// Reads the lines of a head (without the empty one), names in lower case. Nothing if one is not `name:
/// value`.
inline std::optional<header_lines> read_lines(std::string_view lines) {
    header_lines result;
    while (!lines.empty()) {
        const auto line = lines.substr(0, lines.find("\r\n"));
        lines.remove_prefix(std::min(line.size() + 2, lines.size()));
        const auto colon = std::min(line.find(':'), line.size());
        if (colon == line.size() || !is_token(line.substr(0, colon))) return std::nullopt;
        auto value = line.substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
        value = value.substr(0, value.find_last_not_of(" \t") + 1);
        const bool plain = std::ranges::all_of(value, [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return (byte >= 0x20 && byte != 0x7F) || c == '\t';
        });
        if (!plain) return std::nullopt;
        result.emplace_back(lower(line.substr(0, colon)), value);
    }
    return result;
}

/// A request head as it was sent.
struct sent_request {
    std::string_view method;
    std::string_view target;
    header_lines lines;
    bool complete = false;  ///< its end was sent
    bool sound = false;     ///< no two readers could see different requests in it

    [[nodiscard]] std::vector<std::string> all(std::string_view name) const {
        std::vector<std::string> values;
        for (const auto& [n, value] : lines) {
            if (n == name) values.push_back(value);
        }
        return values;
    }

    /// Whether it names a host that may be asked for.
    [[nodiscard]] bool asks_this_machine(std::string_view also) const {
        const auto named = [&](std::string_view authority) {
            auto host = lower(authority);
            if (host.starts_with('[')) {
                const auto end = host.find(']');
                return end != std::string::npos
                       && host.substr(1, end - 1).find_first_not_of("0123456789abcdef:.loc")
                              == std::string::npos;
            }
            host = host.substr(0, host.find(':'));
            if (host.ends_with('.')) host.pop_back();
            return host == "localhost" || host == also
                   || (host.starts_with("127.")
                       && host.find_first_not_of("0123456789.") == std::string::npos);
        };
        const auto hosts = all("host");
        if (hosts.size() != 1 || !named(hosts[0])) return false;
        const auto scheme = target.find("://");
        if (target.starts_with('/') || scheme == std::string_view::npos) return true;
        const auto authority = target.substr(scheme + 3);
        return named(authority.substr(0, authority.find_first_of("/?#")));
    }
};

inline sent_request read_request(std::string_view head) {
    sent_request request;
    const auto line = head.substr(0, head.find("\r\n"));
    const auto space = std::min(line.find(' '), line.size());
    request.method = line.substr(0, space);
    const auto rest = line.substr(std::min(space + 1, line.size()));
    const auto second = std::min(rest.find(' '), rest.size());
    request.target = rest.substr(0, second);
    const auto version = rest.substr(std::min(second + 1, rest.size()));
    const auto lines = read_lines(head.substr(std::min(line.size() + 2, head.size())));
    if (!lines) return request;
    request.lines = *lines;
    const auto codings = request.all("transfer-encoding");
    const auto lengths = request.all("content-length");
    const bool has_length = !lengths.empty() && lengths[0].find_first_not_of('0') != std::string::npos;
    const bool bodiless = request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
    request.sound = is_token(request.method) && !request.target.empty()
                    && (version == "HTTP/1.1" || version == "HTTP/1.0")
                    && std::ranges::all_of(request.target, [](char c) { return c > 0x20 && c < 0x7F; })
                    && request.all("host").size() == 1 && codings.size() + lengths.size() <= 1
                    && (codings.empty() || (lower(codings[0]) == "chunked" && version == "HTTP/1.1"))
                    && (lengths.empty() || lengths[0].find_first_not_of("0123456789") == std::string::npos)
                    && !(bodiless && (has_length || !codings.empty()));
    return request;
}

/// The path of a target, decoded; empty if it cannot be.
inline std::string path_of(std::string_view target) {
    const auto prefix = lower(target.substr(0, 8));
    const std::size_t scheme = prefix.starts_with("http://") ? 7 : prefix.starts_with("https://") ? 8 : 0;
    if (scheme > 0) target.remove_prefix(std::min(target.find_first_of("/?", scheme), target.size()));
    target = target.substr(0, target.find_first_of("?#"));
    std::string path;
    for (std::size_t i = 0; i < target.size(); ++i) {
        if (target[i] != '%') {
            path.push_back(target[i]);
            continue;
        }
        unsigned code = 0;
        const auto* const begin = target.data() + i + 1;
        const auto* const end = target.data() + std::min(i + 3, target.size());
        const auto [stop, error] = std::from_chars(begin, end, code, 16);
        if (error != std::errc{} || stop != begin + 2) return {};
        path.push_back(static_cast<char>(code));
        i += 2;
    }
    return path;
}

inline bool sends_form(const sent_request& request) {
    if (request.method != "POST") return false;
    const auto path = path_of(request.target);
    return path == "/api/v1/logs/sign-in" || path == "/api/v1/logs/sign-out";
}

/// The requests in a peer's bytes, if every one of them were answered and none had a body but forms.
inline std::vector<sent_request> read_requests(std::string_view bytes) {
    std::vector<sent_request> requests;
    for (;;) {
        while (bytes.starts_with("\r\n"))
            bytes.remove_prefix(2);
        if (bytes.empty()) return requests;
        const auto end = bytes.find("\r\n\r\n");
        requests.push_back(read_request(bytes.substr(0, end)));
        requests.back().complete = end != std::string_view::npos;
        if (end == std::string_view::npos) return requests;
        bytes.remove_prefix(end + 4);
        const auto lengths = requests.back().all("content-length");
        if (!requests.back().sound || !sends_form(requests.back()) || lengths.empty()) continue;
        std::size_t length = 0;
        const auto [stop, error] =
            std::from_chars(lengths[0].data(), lengths[0].data() + lengths[0].size(), length);
        if (error != std::errc{} || length > 4096) continue;  // refused, and nothing is read after it
        requests.back().complete = length <= bytes.size();
        bytes.remove_prefix(std::min(length, bytes.size()));
    }
}

struct answer {
    unsigned status = 0;
    header_lines lines;
    std::string body;    ///< out of its transfer coding
    bool whole = false;  ///< its end could be seen

    [[nodiscard]] std::string_view field(std::string_view name) const {
        for (const auto& [n, value] : lines) {
            if (n == name) return value;
        }
        return {};
    }
    [[nodiscard]] bool closes() const { return field("connection") == "close"; }
    [[nodiscard]] bool is_stream() const { return field("content-type") == "text/event-stream"; }
};

/// Takes a chunked body from the front of `bytes`.
inline void take_chunks(std::string_view& bytes, answer& into) {
    for (;;) {
        const auto line = bytes.substr(0, bytes.find("\r\n"));
        std::size_t size = 0;
        const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
        require(error == std::errc{} && stop == line.data() + line.size(), "a chunk begins with its size");
        require(line.size() + size + 4 <= bytes.size(), "a chunk is whole");
        bytes.remove_prefix(line.size() + 2);
        into.body += bytes.substr(0, size);
        require(bytes.substr(size, 2) == "\r\n", "a chunk ends where it says");
        bytes.remove_prefix(size + 2);
        if (size == 0) return;
    }
}

/// Takes one answer from the front of `bytes`, which must begin with a well-formed one.
inline answer take_answer(std::string_view& bytes, bool to_head) {
    answer result;
    const auto end = bytes.find("\r\n\r\n");
    require(end != std::string_view::npos, "an answer has a whole head");
    const auto head = bytes.substr(0, end);
    bytes.remove_prefix(end + 4);
    const auto first = head.substr(0, head.find("\r\n"));
    require(first.size() > 13 && first.starts_with("HTTP/1.1 ") && first[12] == ' ', "a status line");
    const auto [stop, error] = std::from_chars(first.data() + 9, first.data() + 12, result.status);
    require(error == std::errc{} && stop == first.data() + 12 && result.status >= 200 && result.status < 600,
            "a status code");
    const auto lines = read_lines(head.substr(std::min(first.size() + 2, head.size())));
    require(lines.has_value(), "header lines are `name: value`");
    result.lines = *lines;
    auto names = result.lines;
    std::ranges::sort(names);
    require(std::ranges::adjacent_find(names, {}, [](const auto& line) { return line.first; }) == names.end(),
            "no field comes twice");

    const bool chunked = result.field("transfer-encoding") == "chunked";
    const auto length = result.field("content-length");
    require(!chunked || length.empty(), "the length is told once");
    const bool ends = chunked || !length.empty() || result.status == 204;
    require(ends || result.closes(), "an answer without length ends the connection");
    // An answer to a HEAD that could not be read as one may have a body, because nothing follows it.
    const bool may_be_bare = to_head && !bytes.starts_with('{');
    require(!to_head || may_be_bare || (result.closes() && result.status >= 400), "no body for HEAD");
    if (may_be_bare || result.status == 204) {
        result.whole = true;
    } else if (chunked) {
        take_chunks(bytes, result);
        result.whole = true;
    } else if (!length.empty()) {
        std::size_t size = 0;
        const auto [last, wrong] = std::from_chars(length.data(), length.data() + length.size(), size);
        require(wrong == std::errc{} && last == length.data() + length.size(), "a length is a number");
        require(size <= bytes.size(), "a body is as long as told");
        result.body = bytes.substr(0, size);
        bytes.remove_prefix(size);
        result.whole = true;
    } else {
        result.body = bytes;
        bytes = {};
    }
    return result;
}

/// What follows the head of a stream: events, the last of which may be cut off.
inline void check_events(std::string_view body) {
    std::uint64_t last_record = 0;
    for (auto end = body.find("\n\n"); end != std::string_view::npos; end = body.find("\n\n")) {
        std::string_view frame = body.substr(0, end);
        body.remove_prefix(end + 2);
        std::uint64_t id = 0;
        bool has_data = false;
        bool has_name = false;
        while (!frame.empty()) {
            const auto line = frame.substr(0, frame.find('\n'));
            frame.remove_prefix(std::min(line.size() + 1, frame.size()));
            require(line.find_first_of(std::string_view("\r\0", 2)) == std::string_view::npos,
                    "a line is one");
            if (line.starts_with("id: ")) {
                const auto [stop, error] = std::from_chars(line.data() + 4, line.data() + line.size(), id);
                require(error == std::errc{} && stop == line.data() + line.size(), "an id is a number");
            } else if (line.starts_with("data: {") && line.ends_with('}')) {
                require(!has_data, "data is one line");
                has_data = true;
            } else if (line.starts_with("event: ")) {
                has_name = true;
            } else {
                require(line.starts_with("retry: "), "a stream has known fields only");
            }
        }
        if (!has_data || has_name) continue;
        require(id > last_record, "ids grow");
        last_record = id;
    }
}

}  // namespace livelogd::fuzz
