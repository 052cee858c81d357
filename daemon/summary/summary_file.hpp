// SPDX-License-Identifier: MIT
// The file beside a sealed segment that holds its summary. docs/storage-format.md describes it.
#pragma once

#include "daemon/summary/segment_summary.hpp"
#include "daemon/summary/summary_builder.hpp"
#include "protocol/record_id.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace livelogd::summary {

/// What tells one state of a segment's file from another: whoever edits, cuts or replaces it changes this.
struct file_identity {
    std::uint64_t inode = 0;
    std::uint64_t bytes = 0;
    std::int64_t modified_ns = 0;  ///< since 1970

    friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// Of a file that is there; nothing if it is gone. Throws std::system_error.
std::optional<file_identity> identity_of(const std::filesystem::path& file);
file_identity identity_of(int fd);

/// Which segment a summary is of, in which state, and in which time zone its times were read.
struct summary_subject {
    protocol::record_id first_id = 0;
    file_identity segment;
    std::string zone;

    friend bool operator==(const summary_subject&, const summary_subject&) = default;
};

/// `live-<first id, 20 digits>.summary`
std::string summary_name(protocol::record_id first_id);
/// The first id of a summary's file name, or of one that is being written; nothing for any other name.
std::optional<protocol::record_id> parse_summary_name(std::string_view name);

/// Writes the summary of a segment that has been read to its end: into a new file that then takes the place
/// of an older one. False if its sums cannot be told exactly, and nothing is written. Throws
/// std::system_error.
bool write_summary(const std::filesystem::path& directory, const summary_subject& subject,
                   const summary_builder& built);

/// The summary of a segment, if there is a file, whole, of this version and of this subject; else null.
/// Throws std::system_error if reading fails.
shared_summary read_summary(const std::filesystem::path& directory, const summary_subject& subject);

}  // namespace livelogd::summary
