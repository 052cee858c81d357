// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_source.hpp"

#include "daemon/storage/compressed_segment.hpp"
#include "daemon/storage/segment_name.hpp"

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace livelogd::storage {
namespace {

file_identity identity_in(const struct stat& status) {
    return {.inode = status.st_ino,
            .bytes = static_cast<std::uint64_t>(status.st_size),
            .modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

base::unique_fd open_file(const std::filesystem::path& path) {
    base::unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno != ENOENT) {
        throw std::system_error(errno, std::generic_category(), "cannot open " + path.string());
    }
    return fd;
}

segment_handle open_plain(const log_snapshot& snapshot, protocol::record_id first_id) {
    return segment_handle(open_file(snapshot.directory / segment_name(first_id)));
}

segment_handle open_compressed(const log_snapshot& snapshot, protocol::record_id first_id) {
    const auto path = snapshot.directory / compressed_name(first_id);
    auto fd = open_file(path);
    if (!fd || !snapshot.frames) return {};
    return segment_handle(compressed_segment::open(std::move(fd), path, first_id, snapshot.frames));
}

std::optional<struct stat> status_of(const std::filesystem::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) return status;
    if (errno == ENOENT) return std::nullopt;
    throw std::system_error(errno, std::generic_category(), "cannot look at a log segment");
}

}  // namespace

std::size_t segment_source::read(char* to, std::size_t size, std::uint64_t offset) const {
    if (compressed_ != nullptr) return compressed_->read(to, size, offset);
    std::size_t done = 0;
    while (done < size) {
        const ssize_t n = ::pread(fd_, to + done, size - done, static_cast<off_t>(offset + done));
        if (n == 0) break;
        if (n > 0) {
            done += static_cast<std::size_t>(n);
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "cannot read a log segment");
        }
    }
    return done;
}

file_identity segment_source::identity() const {
    if (compressed_ != nullptr) return compressed_->table().original;
    struct stat status{};
    if (::fstat(fd_, &status) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot look at a log segment");
    }
    return identity_in(status);
}

bool segment_source::is_removed() const {
    struct stat status{};
    const int fd = compressed_ != nullptr ? compressed_->fd() : fd_;
    return ::fstat(fd, &status) == 0 && status.st_nlink == 0;
}

std::optional<std::uint64_t> segment_source::lines() const {
    if (compressed_ == nullptr) return std::nullopt;
    return compressed_->table().lines;
}

segment_source::line_mark segment_source::mark_before(std::uint64_t n) const {
    if (compressed_ == nullptr) return {};
    return compressed_->mark_before(n);
}

segment_handle::segment_handle() = default;
segment_handle::segment_handle(base::unique_fd fd) : fd_(std::move(fd)) {}
segment_handle::segment_handle(std::unique_ptr<const compressed_segment> compressed)
    : compressed_(std::move(compressed)) {}
segment_handle::segment_handle(segment_handle&&) noexcept = default;
segment_handle& segment_handle::operator=(segment_handle&&) noexcept = default;
segment_handle::~segment_handle() = default;

segment_handle open_segment(const log_snapshot& snapshot, std::size_t i) {
    if (snapshot.in_memory(i)) {
        base::unique_fd copy(::fcntl(snapshot.held_file->get(), F_DUPFD_CLOEXEC, 0));
        if (!copy)
            throw std::system_error(errno, std::generic_category(), "cannot read what is held in memory");
        return segment_handle(std::move(copy));
    }
    const segment_info& segment = snapshot.segment(i);
    if (segment.is_compressed()) return open_compressed(snapshot, segment.first_id);
    auto plain = open_plain(snapshot, segment.first_id);
    return plain ? std::move(plain) : open_compressed(snapshot, segment.first_id);
}

std::optional<file_identity> identity_of(const log_snapshot& snapshot, std::size_t i) {
    if (snapshot.in_memory(i)) return std::nullopt;
    const segment_info& segment = snapshot.segment(i);
    if (!segment.is_compressed()) {
        if (const auto status = status_of(snapshot.directory / segment_name(segment.first_id))) {
            return identity_in(*status);
        }
        // It may have been compressed since the snapshot was taken.
        const auto now = open_segment(snapshot, i);
        if (!now) return std::nullopt;
        return now.get().identity();
    }
    const auto status = status_of(snapshot.directory / compressed_name(segment.first_id));
    if (!status || static_cast<std::uint64_t>(status->st_size) != segment.compressed_bytes)
        return std::nullopt;
    return file_identity{.inode = segment.inode, .bytes = segment.bytes, .modified_ns = segment.written_ns};
}

}  // namespace livelogd::storage
