// SPDX-License-Identifier: MIT
#include "daemon/query/record_time.hpp"

#include "protocol/timestamp.hpp"

#include <string_view>

namespace livelogd::query {

std::optional<std::int64_t> record_time(const protocol::json_token& timestamp, const base::time_zone& zone) {
    if (!timestamp.is_string()) return std::nullopt;
    const bool escaped = timestamp.inner().find('\\') != std::string_view::npos;
    const auto wall = escaped ? protocol::parse_timestamp(protocol::decode_string(timestamp))
                              : protocol::parse_timestamp(timestamp.inner());
    if (!wall) return std::nullopt;
    return zone.instant(*wall);
}

}  // namespace livelogd::query
