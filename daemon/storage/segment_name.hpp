// SPDX-License-Identifier: MIT
// How segment files are named.
#pragma once

#include "protocol/record_id.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace livelogd::storage {

inline constexpr std::string_view current_link_name = "current";
inline constexpr std::string_view lock_file_name = ".lock";
inline constexpr std::string_view state_file_name = ".state";
inline constexpr std::string_view torn_suffix = ".torn";
inline constexpr std::string_view compressed_suffix = ".zst";
/// Of a segment that is being written anew, or compressed.
inline constexpr std::string_view rewrite_suffix = ".new";

/// `live-<first id, 20 digits>.jsonl`: sorted by name they are in the order of the log.
std::string segment_name(protocol::record_id first_id);

/// `live-<first id, 20 digits>.jsonl.zst`: the same segment, compressed.
std::string compressed_name(protocol::record_id first_id);
std::optional<protocol::record_id> parse_compressed_name(std::string_view name);

/// The first id of a segment's file name (without folder); nothing for any other name.
std::optional<protocol::record_id> parse_segment_name(std::string_view name);

}  // namespace livelogd::storage
