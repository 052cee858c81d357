// SPDX-License-Identifier: MIT
// The small file `.state`: how the last stop went, so that the next start knows whether ids may go on.
#pragma once

#include "daemon/storage/log_snapshot.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace livelogd::storage {

struct log_state {
    std::string boot_id;              ///< of the boot in which this was written
    bool clean = false;               ///< the log was stopped and everything synced
    protocol::record_id next_id = 0;  ///< exact after a clean stop, else a lower bound
    protocol::record_id segment = 0;  ///< first id of the active segment at that time
    bool storing_failed = false;      ///< records that were handed over may be in no file

    /// A segment that has to be cut because what follows has been written anew into another one.
    struct cut {
        protocol::record_id segment = 0;  ///< first id of the one to cut
        std::uint64_t bytes = 0;          ///< that it keeps
        protocol::record_id goes_on = 0;  ///< first id of the other; if that does not exist, nothing is cut
    };
    std::optional<cut> pending_cut{};

    /// The clock has gone forward, and this is the time that is believed instead: nanoseconds since 1970.
    std::optional<std::int64_t> doubted_at_ns{};
};

/// Names this boot of the machine; empty where the kernel does not tell.
std::string current_boot_id();

/// Reads and replaces the state file of one directory. One thread at a time.
class state_file {
  public:
    explicit state_file(const std::filesystem::path& directory);

    /// Nothing if there is none or it cannot be understood.
    [[nodiscard]] std::optional<log_state> load() const;

    enum class durability {
        process,  ///< survives the death of the daemon
        power     ///< survives a power cut, together with all names made in the directory before; costs two
                  ///< fsyncs
    };
    /// Replaces the file as a whole. If that fails, the file is removed, because a state that is no longer
    /// true could make ids come back, whereas without one they jump. Returns why it failed, as a sentence;
    /// nothing if it worked.
    std::optional<std::string> save(const log_state& state, durability how);

  private:
    std::filesystem::path directory_;
    std::filesystem::path path_;
};

}  // namespace livelogd::storage
