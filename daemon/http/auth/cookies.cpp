// SPDX-License-Identifier: MIT
#include "daemon/http/auth/cookies.hpp"

#include "daemon/http/header_text.hpp"

#include <algorithm>
#include <cstddef>

namespace livelogd::http {
namespace {

constexpr std::size_t most_tried = 8;

}  // namespace

std::string cookie_name(const request& asked) {
    std::string_view host = asked.authority;
    if (host.empty()) host = asked.header("host").value_or("");
    const auto colon = host.rfind(':');
    std::string name = "livelogd";
    if (colon == std::string_view::npos) return name;
    const auto port = host.substr(colon + 1);
    const bool is_port = !port.empty() && port.size() <= 5
                         && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
    // An IPv6 address ends with a bracket.
    if (is_port) name.append("-").append(port);
    return name;
}

std::vector<found_cookie> session_cookies(const request& asked) {
    const auto plain = cookie_name(asked);
    const auto secure = std::string(secure_prefix) + plain;
    std::vector<found_cookie> found;
    for (const auto& [header, text] : asked.headers) {
        if (header != "cookie") continue;
        std::string_view rest = text;
        while (!rest.empty() && found.size() < most_tried) {
            const auto end = std::min(rest.find(';'), rest.size());
            const auto pair = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            const auto equals = pair.find('=');
            if (equals == std::string_view::npos) continue;
            const auto name = trimmed(pair.substr(0, equals));
            const auto value = trimmed(pair.substr(equals + 1));
            if ((name == plain || name == secure) && !value.empty())
                found.push_back({std::string(name), std::string(value)});
        }
    }
    return found;
}

std::string set_cookie(std::string_view name, std::string_view value, std::chrono::seconds age, bool secure) {
    std::string text(name);
    text.append("=").append(value).append("; Path=/; Max-Age=");
    text.append(std::to_string(value.empty() ? 0 : age.count()));
    text.append("; HttpOnly; SameSite=Strict");
    if (secure) text.append("; Secure");
    return text;
}

}  // namespace livelogd::http
