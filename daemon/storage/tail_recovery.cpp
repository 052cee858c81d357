// SPDX-License-Identifier: MIT
#include "daemon/storage/tail_recovery.hpp"

#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/segment_name.hpp"
#include "daemon/storage/segment_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace livelogd::storage {

namespace {

constexpr std::size_t block_bytes = 256u << 10;

[[noreturn]] void throw_errno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

std::uint64_t size_of(int fd) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) throw_errno("cannot examine");
    return static_cast<std::uint64_t>(status.st_size);
}

/// Calls `take(bytes)` with [begin, end) of the file, block by block.
template <class Take>
void read_range(int fd, std::uint64_t begin, std::uint64_t end, Take&& take) {
    const auto block = std::make_unique_for_overwrite<char[]>(block_bytes);
    while (begin < end) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes, end - begin));
        const ssize_t n = ::pread(fd, block.get(), wanted, static_cast<off_t>(begin));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw_errno("cannot read");
        if (n == 0) return;
        take(std::string_view(block.get(), static_cast<std::size_t>(n)));
        begin += static_cast<std::uint64_t>(n);
    }
}

std::uint64_t count_lines(int fd, std::uint64_t end) {
    std::uint64_t lines = 0;
    read_range(fd, 0, end, [&lines](std::string_view bytes) {
        for (std::size_t at = 0; (at = bytes.find('\n', at)) != std::string_view::npos; ++at)
            ++lines;
    });
    return lines;
}

void write_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw_errno("cannot write");
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

/// Appends [begin, end) of the segment to its .torn file, safe on the disk before the segment loses it.
void keep_aside(int fd, std::uint64_t begin, std::uint64_t end, const std::filesystem::path& torn_file) {
    const base::unique_fd torn(
        ::open(torn_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, log_file_mode));
    if (!torn) throw_errno("cannot create");
    const std::uint64_t before = size_of(torn.get());
    try {
        read_range(fd, begin, end, [&torn](std::string_view bytes) { write_whole(torn.get(), bytes); });
        if (::fsync(torn.get()) != 0) throw_errno("cannot sync");
        const base::unique_fd directory(
            ::open(torn_file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!directory || ::fsync(directory.get()) != 0) throw_errno("cannot sync the directory of");
    } catch (const std::system_error&) {
        // Half a copy helps nobody, and the next start will make a whole one.
        if (before == 0) {
            ::unlink(torn_file.c_str());
        } else if (::ftruncate(torn.get(), static_cast<off_t>(before)) != 0) {
            // It stays longer than it need be.
        }
        throw;
    }
}

}  // namespace

bool ends_with_record(int fd, std::uint64_t size, const std::function<bool(std::string_view)>& is_record) {
    if (size == 0) return true;
    backward_reader lines(fd, 0, size);
    stored_line last;
    return lines.previous(last) && last.offset + last.bytes.size() + 1 == size && is_record(last.bytes);
}

recovered_tail recover_tail(const std::filesystem::path& directory, protocol::record_id first_id, int fd,
                            const std::function<bool(std::string_view)>& is_record) {
    const std::uint64_t size = size_of(fd);
    recovered_tail tail;

    // The reader itself leaves out what has no LF. Empty lines are refused by is_record like other rubbish.
    backward_reader lines(fd, 0, size);
    stored_line line;
    while (lines.previous(line)) {
        if (is_record(line.bytes)) {
            tail.bytes = line.offset + line.bytes.size() + 1;
            break;
        }
        tail.lines_dropped = true;
    }
    tail.records = count_lines(fd, tail.bytes);
    tail.torn_bytes = size - tail.bytes;
    if (tail.torn_bytes == 0) return tail;

    const std::string segment = segment_name(first_id);
    const std::filesystem::path torn_file = directory / (segment + std::string(torn_suffix));
    try {
        keep_aside(fd, tail.bytes, size, torn_file);
        tail.torn_file = torn_file;
        if (::ftruncate(fd, static_cast<off_t>(tail.bytes)) != 0 || ::fsync(fd) != 0) {
            throw std::system_error(errno, std::generic_category(),
                                    "cannot cut " + (directory / segment).string());
        }
    } catch (const std::system_error& error) {
        tail.failure = tail.torn_file.empty() ? torn_file.string() + ": " + error.what() : error.what();
    }
    return tail;
}

}  // namespace livelogd::storage
