// SPDX-License-Identifier: MIT
#include "daemon/storage/active_segment.hpp"

#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/segment_name.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace livelogd::storage {

active_segment active_segment::create(const std::filesystem::path& directory, protocol::record_id first_id,
                                      const file_ops& ops) {
    auto file = std::make_shared<segment_file>();
    file->first_id = first_id;
    file->path = directory / segment_name(first_id);
    file->fd = base::unique_fd(
        ops.open(file->path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, log_file_mode));
    if (!file->fd) {
        throw std::system_error(errno, std::generic_category(), "cannot create " + file->path.string());
    }
    return {std::move(file), 0, 0, ops};
}

active_segment::appended active_segment::append(std::string_view lines,
                                                std::span<const record_batch::record> records) {
    appended result;
    std::size_t written = 0;
    while (written < lines.size()) {
        const ssize_t n = ops_->write(file_->fd.get(), lines.data() + written, lines.size() - written);
        if (n > 0) {
            written += static_cast<std::size_t>(n);
        } else if (n == 0 || errno != EINTR) {
            result.error = n == 0 ? EIO : errno;
            break;
        }
    }
    for (const auto& record : records) {
        if (result.bytes + record.size > written) break;
        result.bytes += record.size;
        ++result.records;
    }
    bytes_ += result.bytes;
    records_ += result.records;
    if (result.error != 0) {
        damaged_ = true;  // also where nothing is known to have been written: a failed call promises little
        repair();
    }
    return result;
}

bool active_segment::repair() {
    int status = 0;
    do {
        status = ops_->ftruncate(file_->fd.get(), static_cast<off_t>(bytes_));
    } while (status != 0 && errno == EINTR);
    damaged_ = status != 0;
    return !damaged_;
}

}  // namespace livelogd::storage
