// SPDX-License-Identifier: MIT
#include "protocol/record_id.hpp"

namespace livelogd::protocol {

std::optional<record_id> parse_record_id(std::string_view text) {
    if (text.empty()) return std::nullopt;
    record_id id = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        id = id * 10 + static_cast<record_id>(c - '0');
        if (id > max_record_id) return std::nullopt;
    }
    return id;
}

}  // namespace livelogd::protocol
