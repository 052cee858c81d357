// SPDX-License-Identifier: MIT
// What a log is opened with, and why it may refuse.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace livelogd::storage {

enum class sync_policy { none, interval, always };

/// What sealing and retention go by, and what becomes of sealed segments. Can change while the log is open.
struct log_limits {
    std::uint64_t segment_max_bytes = 10u << 20;  ///< log_max_bytes
    std::uint64_t backup_count = 5;               ///< log_backup_count
    std::uint64_t total_bytes = 0;                ///< log_total_bytes; 0: no such limit
    std::chrono::milliseconds max_age{0};         ///< log_max_age; 0: no such limit
    bool compress = false;                        ///< log_compress; only if zstd_is_built_in()
};

struct log_options : log_limits {
    std::filesystem::path directory;
    sync_policy sync = sync_policy::interval;
    std::chrono::milliseconds sync_interval{1000};
    std::uint64_t sync_bytes = 16u << 20;  ///< under `interval`: sync sooner once this much is unsynced
    /// What is kept in memory until it is synced, bytes: with more, the writer waits for the disk.
    std::uint64_t unsynced_max_bytes = 64u << 20;
    std::chrono::milliseconds retry_interval{
        200};  ///< how long to wait, while storing fails, before trying again
    /// How long to wait before trying again what could not be compressed.
    std::chrono::milliseconds compress_retry_interval{60'000};
};

/// Why a log cannot be opened. The text is a sentence for the operator, with the path and the cure.
class log_error : public std::runtime_error {
  public:
    enum class kind {
        taken,        ///< another daemon has the directory
        unsupported,  ///< it holds what this program was built without
        io            ///< anything else
    };
    log_error(kind k, const std::string& what) : std::runtime_error(what), kind_(k) {}
    [[nodiscard]] kind why() const { return kind_; }

  private:
    kind kind_;
};

}  // namespace livelogd::storage
