// SPDX-License-Identifier: MIT
// The file beside a sealed segment that holds its summary. docs/storage-format.md describes it.
#pragma once

#include "daemon/storage/segment_source.hpp"
#include "daemon/summary/segment_summary.hpp"
#include "daemon/summary/summary_builder.hpp"
#include "protocol/record_id.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace livelogd::summary {

/// Which segment a summary is of, in which state, and in which time zone its times were read.
struct summary_subject {
    protocol::record_id first_id = 0;
    storage::file_identity segment;
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
