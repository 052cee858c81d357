// SPDX-License-Identifier: MIT
#include "daemon/alerts/webhook_url.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <stdexcept>

namespace livelogd::alerts {
namespace {

[[noreturn]] void refuse(const std::string& why) {
    throw std::invalid_argument("must be a URL such as https://hooks.example.org/path: " + why);
}

bool is_port(std::string_view text) {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() && number > 0;
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.'
           || c == '_';
}

std::string_view default_port(bool tls) {
    return tls ? "443" : "80";
}

}  // namespace

webhook_url webhook_url::parse(std::string_view text) {
    webhook_url url;
    if (text.starts_with("https://")) {
        url.tls = true;
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
    } else {
        refuse("it begins with neither http:// nor https://");
    }
    const auto is_printable = [](char c) { return c > 0x20 && c < 0x7f; };
    if (!std::ranges::all_of(text, is_printable))
        refuse("spaces and what is not ASCII must be percent-encoded");
    text = text.substr(0, text.find('#'));
    const auto path = std::min(text.find_first_of("/?"), text.size());
    auto authority = text.substr(0, path);
    url.target = text.substr(path);
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    if (authority.find('@') != std::string_view::npos) refuse("a user name in it is not sent");
    url.port = default_port(url.tls);
    const bool is_bracketed = authority.starts_with('[');
    const auto host_end = is_bracketed ? authority.find(']') : authority.find(':');
    if (is_bracketed && host_end == std::string_view::npos) refuse("the address lacks its ]");
    url.host = authority.substr(is_bracketed ? 1 : 0, is_bracketed ? host_end - 1 : host_end);
    authority.remove_prefix(is_bracketed ? host_end + 1 : std::min(host_end, authority.size()));
    if (!authority.empty()) {
        if (authority.front() != ':' || !is_port(authority.substr(1)))
            refuse("the port is no number from 1 to 65535");
        url.port = authority.substr(1);
    }
    const bool is_host = is_bracketed
                             ? url.host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos
                             : std::ranges::all_of(url.host, is_host_character);
    if (url.host.empty() || !is_host) refuse("the host is missing or has characters that no host has");
    return url;
}

std::string webhook_url::host_header() const {
    auto text = host.find(':') == std::string::npos ? host : "[" + host + "]";
    if (port != default_port(tls)) text += ":" + port;
    return text;
}

std::string webhook_url::origin() const {
    return (tls ? "https://" : "http://") + host_header();
}

}  // namespace livelogd::alerts
