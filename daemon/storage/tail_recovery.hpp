// SPDX-License-Identifier: MIT
// Cutting the newest segment back to its last whole record when the log is opened.
#pragma once

#include "daemon/storage/log_snapshot.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace livelogd::storage {

/// How a segment ends, and what became of the rest.
struct recovered_tail {
    std::uint64_t bytes = 0;          ///< where its last whole record ends
    std::uint64_t records = 0;        ///< lines up to there
    std::uint64_t torn_bytes = 0;     ///< that stood behind it
    bool lines_dropped = false;       ///< among them were complete lines
    std::filesystem::path torn_file;  ///< where they are kept now
    std::string failure;  ///< why they could not be moved there, and stay in place; empty if they were
};

/// Whether the file has `size` bytes and ends with a whole line that is a record; an empty one does. Throws
/// std::system_error.
bool ends_with_record(int fd, std::uint64_t size, const std::function<bool(std::string_view)>& is_record);

/// Moves everything behind the last line that is a record (half a line, zeros from a power cut, other
/// rubbish) to
/// `<segment>.torn`. Lines before that one are not looked at. Reads the file once to count its lines; memory
/// is bounded by the longest line. `fd` must be open for reading and writing. Throws std::system_error if
/// reading fails; that the tail cannot be moved is told in the result, because a full disk must not keep the
/// daemon from starting.
recovered_tail recover_tail(const std::filesystem::path& directory, protocol::record_id first_id, int fd,
                            const std::function<bool(std::string_view)>& is_record);

}  // namespace livelogd::storage
