// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_replacement.hpp"

#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/segment_name.hpp"
#include "daemon/storage/segment_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace livelogd::storage {

namespace {

[[noreturn]] void fail(int error, const std::filesystem::path& path) {
    throw std::system_error(error, std::generic_category(), "cannot write " + path.string() + " anew");
}

/// Returns 0 or an errno.
int write_pieces(int fd, std::span<const stored_piece> pieces, const file_ops& ops) {
    for (const stored_piece& piece : pieces) {
        for (std::string_view left = piece.lines(); !left.empty();) {
            const ssize_t n = ops.write(fd, left.data(), left.size());
            if (n > 0) {
                left.remove_prefix(static_cast<std::size_t>(n));
            } else if (n == 0 || errno != EINTR) {
                return n == 0 ? EIO : errno;
            }
        }
    }
    while (ops.fdatasync(fd) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

}  // namespace

active_segment write_segment_anew(const std::filesystem::path& directory, protocol::record_id first_id,
                                  std::span<const stored_piece> pieces, const file_ops& ops) {
    auto file = std::make_shared<segment_file>();
    file->first_id = first_id;
    file->path = directory / segment_name(first_id);
    const std::string fresh = file->path.string() + std::string(rewrite_suffix);
    ops.unlink(fresh.c_str());  // one that was begun before and could not be finished
    file->fd = base::unique_fd(
        ops.open(fresh.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, log_file_mode));
    if (!file->fd) fail(errno, file->path);
    int error = write_pieces(file->fd.get(), pieces, ops);
    if (error == 0 && ops.rename(fresh.c_str(), file->path.c_str()) != 0) error = errno;
    if (error != 0) {
        ops.unlink(fresh.c_str());
        fail(error, file->path);
    }
    std::uint64_t bytes = 0;
    std::uint64_t records = 0;
    for (const stored_piece& piece : pieces) {
        bytes += piece.byte_count;
        records += piece.record_count;
    }
    return {std::move(file), bytes, records, ops};
}

std::uint64_t trusted_length(const std::filesystem::path& file, std::uint64_t synced, std::uint64_t written) {
    const base::unique_fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno == ENOENT) return 0;
    struct stat status{};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot examine " + file.string());
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size >= written) return synced;
    // What was appended after the cut is at most what was appended since the last sync.
    const std::uint64_t appended = written - synced;
    const std::uint64_t certain = std::min(synced, size > appended ? size - appended : 0);
    backward_reader lines(fd.get(), 0, certain);
    stored_line last;
    return lines.previous(last) ? last.offset + last.bytes.size() + 1 : 0;
}

int cut_segment(const std::filesystem::path& file, std::uint64_t bytes, const file_ops& ops) {
    const base::unique_fd fd(ops.open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0));
    if (!fd) return errno == ENOENT ? 0 : errno;
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) return errno;
    if (static_cast<std::uint64_t>(status.st_size) <= bytes) return 0;
    while (ops.ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

}  // namespace livelogd::storage
