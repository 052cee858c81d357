// SPDX-License-Identifier: MIT
#include "daemon/http/auth/proxies.hpp"

#include "daemon/http/header_text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace livelogd::http {
namespace {

constexpr const char* by_unix_socket = "unix";

[[noreturn]] void refuse(const std::string& word) {
    throw std::invalid_argument("'" + word
                                + "' is no proxy (examples: loopback, unix, 10.0.0.7, 10.0.0.0/8, fd00::/8)");
}

}  // namespace

bool trusted_proxies::read_address(std::string_view text, address& into) {
    const std::string whole(text);
    in_addr v4{};
    if (::inet_pton(AF_INET, whole.c_str(), &v4) == 1) {
        into = {};
        into[10] = into[11] = 0xff;
        std::memcpy(into.data() + 12, &v4, 4);
        return true;
    }
    return ::inet_pton(AF_INET6, whole.c_str(), into.data()) == 1;
}

trusted_proxies::trusted_proxies(const std::vector<std::string>& words) {
    for (const auto& word : words) {
        if (word == "loopback") {
            network v4{.bits = 96 + 8};
            network v6{.bits = 128};
            read_address("127.0.0.0", v4.first);
            read_address("::1", v6.first);
            networks_.insert(networks_.end(), {v4, v6});
            continue;
        }
        if (word == by_unix_socket) {
            unix_ = true;
            continue;
        }
        network one;
        const auto slash = std::min(word.find('/'), word.size());
        const auto host = std::string_view(word).substr(0, slash);
        if (!read_address(host, one.first)) refuse(word);
        const bool is_v4 = host.find(':') == std::string_view::npos;
        unsigned bits = is_v4 ? 32 : 128;
        if (slash < word.size()) {
            const char* const end = word.data() + word.size();
            unsigned given = 0;
            const auto [stop, error] = std::from_chars(word.data() + slash + 1, end, given);
            if (error != std::errc{} || stop != end || given > bits) refuse(word);
            bits = given;
        }
        one.bits = is_v4 ? 96 + bits : bits;
        networks_.push_back(one);
    }
}

bool trusted_proxies::trusts(std::string_view peer) const {
    address asked{};
    if (!read_address(peer, asked)) return false;
    return std::ranges::any_of(networks_, [&](const network& one) {
        const auto bytes = one.bits / 8;
        if (std::memcmp(asked.data(), one.first.data(), bytes) != 0) return false;
        const auto rest = one.bits % 8;
        return rest == 0 || (asked[bytes] >> (8 - rest)) == (one.first[bytes] >> (8 - rest));
    });
}

bool trusted_proxies::trusts_peer_of(const request& asked) const {
    return asked.over_unix_socket ? unix_ : trusts(asked.peer);
}

std::string trusted_proxies::client_of(const request& asked) const {
    std::string own = asked.over_unix_socket ? by_unix_socket : asked.peer;
    if (!trusts_peer_of(asked)) return own;
    // Each proxy appends the address it was asked from; with several lines, they are one list.
    std::string chain;
    for (const auto& [name, value] : asked.headers) {
        if (name == "x-forwarded-for") chain += (chain.empty() ? "" : ",") + value;
    }
    std::string_view rest = chain;
    std::string client = own;
    while (!rest.empty()) {
        const auto comma = rest.rfind(',');
        const auto entry = trimmed(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
        address ignored{};
        // What is no address was written by the client: all before it may be as well.
        if (!read_address(entry, ignored)) break;
        client = entry;
        if (!trusts(entry)) break;
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(0, comma);
    }
    return client;
}

bool trusted_proxies::says_tls(const request& asked) const {
    return trusts_peer_of(asked) && asked.header("x-forwarded-proto").value_or("") == "https";
}

}  // namespace livelogd::http
