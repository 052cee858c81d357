// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_name.hpp"

namespace livelogd::storage {

namespace {

constexpr std::string_view prefix = "live-";
constexpr std::string_view suffix = ".jsonl";
constexpr std::size_t digits = 20;

}  // namespace

std::string segment_name(protocol::record_id first_id) {
    const std::string number = std::to_string(first_id);
    std::string name(prefix);
    name.append(digits - number.size(), '0');
    name += number;
    name += suffix;
    return name;
}

std::string compressed_name(protocol::record_id first_id) {
    return segment_name(first_id).append(compressed_suffix);
}

std::optional<protocol::record_id> parse_compressed_name(std::string_view name) {
    if (!name.ends_with(compressed_suffix)) return std::nullopt;
    name.remove_suffix(compressed_suffix.size());
    return parse_segment_name(name);
}

std::optional<protocol::record_id> parse_segment_name(std::string_view name) {
    if (name.size() != prefix.size() + digits + suffix.size()) return std::nullopt;
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
    return protocol::parse_record_id(name.substr(prefix.size(), digits));
}

}  // namespace livelogd::storage
