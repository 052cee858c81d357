// SPDX-License-Identifier: MIT
// Which keys name credentials, said once more: the list of docs/security.md, compared the slow way.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace livelogd::fuzz {

inline bool names_a_credential(std::string_view key) {
    static constexpr std::array<std::string_view, 17> names = {"authorization", "proxy_authorization",
                                                               "cookie",        "set_cookie",
                                                               "x_api_key",     "api_key",
                                                               "apikey",        "password",
                                                               "passwd",        "secret",
                                                               "client_secret", "token",
                                                               "access_token",  "refresh_token",
                                                               "id_token",      "private_key",
                                                               "credentials"};
    std::string alike(key);
    for (char& c : alike) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
        if (c == '-') c = '_';
    }
    return std::ranges::find(names, alike) != names.end();
}

}  // namespace livelogd::fuzz
