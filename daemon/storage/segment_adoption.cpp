// SPDX-License-Identifier: MIT
// How compressed segments come to stand for the plain ones in the chain.
#include "daemon/base/errno_text.hpp"
#include "daemon/storage/segment_chain.hpp"
#include "daemon/storage/segment_name.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/stat.h>

namespace livelogd::storage {

std::optional<compression_job> segment_chain::next_to_compress() {
    const auto& all = *sealed_;
    auto one = std::ranges::lower_bound(all, compressed_below_, {}, &segment_info::first_id);
    for (; one != all.end(); ++one) {
        const auto first_id = one->first_id;
        const bool uncut = std::ranges::find(uncut_, first_id, &segment_info::first_id) != uncut_.end();
        if (!one->is_compressed() && one->bytes > 0) {
            // The next ones were sealed later: they are waited for as well.
            if (uncut || sync_.needs(first_id)) return std::nullopt;
            return compression_job{.directory = directory_.path(), .first_id = first_id, .bytes = one->bytes};
        }
        compressed_below_ = first_id + 1;
    }
    return std::nullopt;
}

std::optional<std::string> segment_chain::adopt(const compression_result& made) {
    const auto first_id = made.job.first_id;
    const auto plain = directory_.path() / segment_name(first_id);
    const auto compressed = directory_.path() / compressed_name(first_id);
    const auto& all = *sealed_;
    const auto place = std::ranges::lower_bound(all, first_id, {}, &segment_info::first_id);
    struct stat status{};
    // Retention may have removed it meanwhile, or somebody has replaced it.
    const bool fits = place != all.end() && place->first_id == first_id && !place->is_compressed()
                      && place->bytes == made.job.bytes && ::stat(plain.c_str(), &status) == 0
                      && status.st_ino == made.original.inode
                      && static_cast<std::uint64_t>(status.st_size) == made.original.bytes;
    if (!fits) {
        ops_.unlink(made.file.c_str());
        compressed_below_ = first_id + 1;
        return std::nullopt;
    }
    if (ops_.rename(made.file.c_str(), compressed.c_str()) != 0) {
        const int error = errno;
        ops_.unlink(made.file.c_str());
        return "cannot rename " + made.file.string() + ": " + base::errno_text(error);
    }
    try {
        // Not before the new name survives a power cut may the old one go.
        directory_.sync();
    } catch (const std::system_error& failure) {
        ops_.unlink(compressed.c_str());
        return failure.what();
    }
    auto sealed = std::make_shared<std::vector<segment_info>>(all);
    segment_info& info = (*sealed)[static_cast<std::size_t>(place - all.begin())];
    info.compressed_bytes = made.compressed_bytes;
    info.inode = made.original.inode;
    info.written_ns = made.original.modified_ns;
    sealed_ = std::move(sealed);
    // If that fails it is told; the next start takes the plain file and removes the compressed one.
    remove(plain);
    compressed_below_ = first_id + 1;
    return std::nullopt;
}

}  // namespace livelogd::storage
