// SPDX-License-Identifier: MIT
#include "daemon/http/access.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace livelogd::http {
namespace {

bool is_loopback(const std::string& host) {
    if (host == "localhost") return true;
    in_addr v4{};
    if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
    in6_addr v6{};
    return ::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/// The digits behind the last colon that stands behind the host; empty if there are none.
std::string_view port_of(std::string_view authority) {
    const auto colon = authority.rfind(':');
    if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos) return {};
    return authority.substr(colon + 1);
}

/// Whether a page of `origin` is one of this `host`. A Host without a port, as some proxies send it, fits
/// any.
bool is_origin_of(std::string_view origin, std::string_view host) {
    const auto scheme = origin.find("://");
    if (scheme == std::string_view::npos) return false;
    const auto authority = origin.substr(scheme + 3);
    const auto name = host_name(authority);
    if (name.empty() || name != host_name(host)) return false;
    if (port_of(host).empty()) return true;
    const auto given = port_of(authority);
    const std::string_view usual = origin.starts_with("https:") ? "443" : "80";
    return (given.empty() ? usual : given) == port_of(host);
}

}  // namespace

std::string host_name(std::string_view authority) {
    std::string_view host;
    std::string_view rest;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return {};
        host = authority.substr(1, end - 1);
        rest = authority.substr(end + 1);
    } else {
        const auto colon = std::min(authority.find(':'), authority.size());
        host = authority.substr(0, colon);
        rest = authority.substr(colon);
        if (host.ends_with('.')) host.remove_suffix(1);
    }
    const bool port_is_fine =
        rest.empty() || (rest.front() == ':' && std::ranges::all_of(rest.substr(1), [](char c) {
                             return c >= '0' && c <= '9';
                         }));
    if (!port_is_fine) return {};
    std::string name(host);
    for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return name;
}

bool access_rules::host_is_allowed(std::string_view authority) const {
    const auto name = host_name(authority);
    if (name.empty()) return false;
    return is_loopback(name)
           || std::ranges::any_of(allowed_hosts, [&](const auto& h) { return host_name(h) == name; });
}

bool access_rules::origin_is_allowed(std::string_view origin) const {
    if (origin == "null") return false;
    return std::ranges::any_of(cors_allowed_origins, [&](const auto& o) { return o == "*" || o == origin; });
}

void access_rules::check(const request& asked) const {
    const auto named = asked.header("host").value_or("");
    const std::string_view authority = asked.authority;
    if (!host_is_allowed(named) || (!authority.empty() && !host_is_allowed(authority))) {
        throw access_denied(refusal::host, 403,
                            "the host '" + std::string(authority.empty() ? named : authority)
                                + "' is not one of this daemon's (name it in allowed_hosts if it should be)");
    }
    if (asked.header("sec-fetch-site").value_or("") != "cross-site") return;
    const bool opens_viewer = asked.header("sec-fetch-mode").value_or("") == "navigate"
                              && (asked.path == "/" || asked.path == "/api/v1/logs");
    const auto origin = asked.header("origin");
    if (!opens_viewer && !(origin && origin_is_allowed(*origin))) {
        throw access_denied(refusal::cross_site, 403,
                            "pages of other sites may not read these logs (see cors_allowed_origins)");
    }
}

void access_rules::check_form(const request& asked) const {
    bool own = true;
    if (const auto site = asked.header("sec-fetch-site")) {
        // The browser's own word, whatever a proxy makes of Host. "none": the user, without a page.
        own = *site == "same-origin" || *site == "none";
    } else if (const auto origin = asked.header("origin")) {
        // Browsers without it, and all of them where there is no TLS on the way to another machine.
        const auto named = asked.authority.empty() ? asked.header("host").value_or("") : asked.authority;
        own = is_origin_of(*origin, named);
    }
    if (!own) throw access_denied(refusal::form_origin, 403, "this form belongs to a page of another origin");
}

std::optional<std::string> access_rules::cors_origin(const request& asked) const {
    const auto origin = asked.header("origin");
    if (!origin || !origin_is_allowed(*origin)) return std::nullopt;
    return std::string(*origin);
}

}  // namespace livelogd::http
