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

struct log_options {
    std::filesystem::path directory;
    std::uint64_t segment_max_bytes = 10u << 20;  ///< log_max_bytes
    std::uint64_t backup_count = 5;               ///< log_backup_count
    sync_policy sync = sync_policy::interval;
    std::chrono::milliseconds sync_interval{1000};
    std::uint64_t sync_bytes = 16u << 20;  ///< under `interval`: sync sooner once this much is unsynced
    /// What is kept in memory until it is synced, bytes: with more, the writer waits for the disk.
    std::uint64_t unsynced_max_bytes = 64u << 20;
    std::chrono::milliseconds retry_interval{
        200};  ///< how long to wait, while storing fails, before trying again
};

/// Why a log cannot be opened. The text is a sentence for the operator, with the path and the cure.
class log_error : public std::runtime_error {
  public:
    enum class kind { taken, io };  ///< another daemon has the directory; anything else
    log_error(kind k, const std::string& what) : std::runtime_error(what), kind_(k) {}
    [[nodiscard]] kind why() const { return kind_; }

  private:
    kind kind_;
};

}  // namespace livelogd::storage
