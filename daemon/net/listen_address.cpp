// SPDX-License-Identifier: MIT
#include "daemon/net/listen_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

namespace livelogd::net {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
    throw std::invalid_argument("'" + std::string(text) + "' is no address to listen on: " + why
                                + " (examples: 127.0.0.1:5000, [::1]:5000, unix:/run/livelogd/http.sock)");
}

}  // namespace

listen_address listen_address::parse(std::string_view text) {
    listen_address address;
    if (text.starts_with("unix:")) {
        address.kind = family::local;
        address.host = text.substr(5);
        if (address.host.empty()) refuse(text, "the path is missing");
        if (address.host.size() > max_unix_path) {
            refuse(text, "a socket's path may have at most " + std::to_string(max_unix_path) + " bytes");
        }
        return address;
    }
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) refuse(text, "the port is missing");
    auto host = text.substr(0, colon);
    const auto port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (port.empty() || error != std::errc{} || end != port.data() + port.size()) {
        refuse(text, "the port must be a number from 0 to 65535");
    }
    if (host == "localhost") host = "127.0.0.1";
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        address.kind = family::ipv6;
        host = host.substr(1, host.size() - 2);
    }
    address.host = host;
    in6_addr bytes{};
    const int wanted = address.kind == family::ipv6 ? AF_INET6 : AF_INET;
    if (::inet_pton(wanted, address.host.c_str(), &bytes) != 1) {
        refuse(text, "'" + address.host + "' is not a numeric address");
    }
    return address;
}

std::string listen_address::text() const {
    switch (kind) {
        case family::local:
            return "unix:" + host;
        case family::ipv6:
            return "[" + host + "]:" + std::to_string(port);
        case family::ipv4:
            break;
    }
    return host + ":" + std::to_string(port);
}

bool listen_address::is_loopback() const {
    switch (kind) {
        case family::local:
            return true;
        case family::ipv4:
            return host.starts_with("127.");
        case family::ipv6:
            break;
    }
    in6_addr bytes{};
    return ::inet_pton(AF_INET6, host.c_str(), &bytes) == 1 && IN6_IS_ADDR_LOOPBACK(&bytes);
}

}  // namespace livelogd::net
