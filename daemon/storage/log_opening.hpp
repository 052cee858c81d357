// SPDX-License-Identifier: MIT
// From a directory to a log that can be written: recovery of the tail, choice of the next id.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/log.hpp"
#include "daemon/storage/log_directory.hpp"
#include "daemon/storage/log_state.hpp"
#include "daemon/storage/segment_chain.hpp"

#include <memory>

namespace livelogd::storage {

struct opened_log {
    recovery recovered;
    log_contents contents;
    /// The last run's active segment, where it does not go on; may be null.
    struct {
        std::shared_ptr<const segment_file> file;
        std::uint64_t bytes = 0;
    } to_seal;
    /// The last run was killed: what the active segment holds may not have been synced.
    bool unsynced = false;
};

/// Opens what `directory` holds, or begins a log there. Reads the newest segment only. Afterwards the state
/// file says that the log is in use, so that an unclean end will be noticed. Throws log_error. `ops` must
/// outlive the contents.
opened_log open_log(log_directory& directory, state_file& state, const base::report_sink& report,
                    const file_ops& ops);

}  // namespace livelogd::storage
