// SPDX-License-Identifier: MIT
// Writing records anew that are in a file which cannot be trusted any more.
#pragma once

#include "daemon/storage/active_segment.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/unsynced_records.hpp"

#include <cstdint>
#include <filesystem>
#include <span>

namespace livelogd::storage {

/// Makes a segment with these records (none: an empty one), under another name first, synced, and then under
/// its own in one step: whoever reads the file of that name reads the old one or the whole new one. Throws
/// std::system_error; then everything is as it was.
active_segment write_segment_anew(const std::filesystem::path& directory, protocol::record_id first_id,
                                  std::span<const stored_piece> pieces, const file_ops& ops);

/// How many bytes of a segment are certainly what was written there, whole lines only, at most `synced`,
/// where `written` bytes were written to it in all: somebody may have cut it, after which appended records
/// landed in the wrong place. 0 if there is no such file. Throws std::system_error if it cannot be read.
std::uint64_t trusted_length(const std::filesystem::path& file, std::uint64_t synced, std::uint64_t written);

/// Cuts a segment that stays as it is up to there. Returns 0 or an errno.
int cut_segment(const std::filesystem::path& file, std::uint64_t bytes, const file_ops& ops);

}  // namespace livelogd::storage
