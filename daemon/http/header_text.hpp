// SPDX-License-Identifier: MIT
// What values of header fields are made of.
#pragma once

#include <string_view>

namespace livelogd::http {

/// Without the optional white space around it (RFC 9110, 5.6.3).
constexpr std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t'))
        text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t'))
        text.remove_suffix(1);
    return text;
}

}  // namespace livelogd::http
