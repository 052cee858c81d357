// SPDX-License-Identifier: MIT
#include "daemon/storage/compressed_recovery.hpp"

#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/frame_table.hpp"
#include "daemon/storage/log_options.hpp"
#include "daemon/storage/segment_name.hpp"
#include "daemon/storage/zstd_frames.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>

namespace livelogd::storage {
namespace {

/// What the file tells of itself.
void read_info(segment_info& info, const std::filesystem::path& path) {
    const base::unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) throw std::system_error(errno, std::generic_category(), "it cannot be opened");
    const frame_table table = read_table(fd.get(), info.first_id);
    info.bytes = table.bytes();
    info.inode = table.original.inode;
    info.written_ns = table.original.modified_ns;
}

}  // namespace

void add_compressed(log_directory::contents& found, const log_directory& directory,
                    const base::report_sink& report, const file_ops& ops) {
    if (found.compressed.empty()) return;
    if (!zstd_is_built_in()) {
        throw log_error(log_error::kind::unsupported,
                        "the log directory " + directory.path().string() + " holds compressed files ("
                            + compressed_name(found.compressed.front().first_id)
                            + "), and this livelogd was built without zstd; run one that was built with "
                              "-DLIVELOGD_ZSTD=ON, or decompress them first: zstd -d --rm "
                            + (directory.path() / "live-*.jsonl.zst").string());
    }
    auto& segments = found.segments;
    for (segment_info info : found.compressed) {
        const auto path = directory.path() / compressed_name(info.first_id);
        const auto place = std::ranges::lower_bound(segments, info.first_id, {}, &segment_info::first_id);
        const bool both = place != segments.end() && place->first_id == info.first_id;
        if (both && place->bytes > 0) {
            ops.unlink(path.c_str());
            continue;
        }
        info.compressed_bytes = std::max<std::uint64_t>(info.compressed_bytes, 1);  // one that was emptied
        try {
            read_info(info, path);
        } catch (const std::runtime_error& error) {
            report(base::severity::error,
                   path.string() + " cannot be read, and its records are told as missing: " + error.what()
                       + "; if zstd can decompress it, do so (zstd -d --rm) while the daemon is stopped");
        }
        if (both) {
            ops.unlink((directory.path() / segment_name(info.first_id)).c_str());
            *place = info;
        } else {
            segments.insert(place, info);
        }
    }
}

}  // namespace livelogd::storage
