// SPDX-License-Identifier: MIT
// The session's cookie: its name, its text, and finding it in a request.
#pragma once

#include "daemon/http/request.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::http {

/// The cookie's name without TLS: "livelogd", and the port that the browser asks at, because cookies of one
/// host name are shared by all its ports: two daemons must not sign each other's users out.
std::string cookie_name(const request& asked);

/// Through TLS the name begins with __Host-, so that no page of a neighbouring host can set it.
inline constexpr std::string_view secure_prefix = "__Host-";

struct found_cookie {
    std::string name;
    std::string value;
};

/// All that could be the session's: under either name, a few at most. A page that shares the host name can
/// add one, so that the first is not always the right one.
std::vector<found_cookie> session_cookies(const request& asked);

/// The text of Set-Cookie. `value` empty: the browser is to forget it.
std::string set_cookie(std::string_view name, std::string_view value, std::chrono::seconds age, bool secure);

}  // namespace livelogd::http
