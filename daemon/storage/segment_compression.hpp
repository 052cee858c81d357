// SPDX-License-Identifier: MIT
// Making the compressed file of a sealed segment, beside it and under a name that is not its own yet.
#pragma once

#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/segment_source.hpp"
#include "protocol/record_id.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

namespace livelogd::storage {

struct compression_job {
    std::filesystem::path directory;
    protocol::record_id first_id = 0;
    std::uint64_t bytes = 0;  ///< published length
};

struct compression_result {
    compression_job job;
    enum class end : std::uint8_t {
        made,       ///< the file is complete and synced
        cancelled,  ///< there is no file
        failed,     ///< the same; it can be tried again
        unfit,      ///< the same; what stands there is not what the log has published
    } what = end::cancelled;
    std::string why;                     ///< of a failure, as a sentence
    std::filesystem::path file;          ///< that was made
    file_identity original;              ///< of what it was made of
    std::uint64_t compressed_bytes = 0;  ///< its size
};

/// Reads the plain file, writes `<compressed name>.new`, and syncs it. The plain file stays as it is. What
/// was begun is removed again unless it is complete. Once `cancel` is set it ends within a frame. Blocks on
/// the disk. Does not throw for what the disk does.
compression_result compress_segment(const compression_job& job, const file_ops& ops,
                                    const std::atomic<bool>& cancel);

}  // namespace livelogd::storage
