// SPDX-License-Identifier: MIT
// Compressed segments when the log is opened.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/log_directory.hpp"

namespace livelogd::storage {

/// Puts the compressed segments among the others, in order. Where a segment is there in both forms, because
/// the daemon died between making the one and removing the other, the plain one stays: it is what was
/// written, and can be compressed again; unless it is empty. One that cannot be read stays as a segment
/// without bytes, so that readers are told of the gap and retention removes it in its turn; that is
/// reported. Reads the end of each file. Throws log_error, first of all if this program cannot read them.
void add_compressed(log_directory::contents& found, const log_directory& directory,
                    const base::report_sink& report, const file_ops& ops);

}  // namespace livelogd::storage
