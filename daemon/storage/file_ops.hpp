// SPDX-License-Identifier: MIT
// The system calls by which the log changes files, as values, so that tests can make any one of them fail.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <functional>

namespace livelogd::storage {

/// Of every file of the log directory: the owner writes, the group may read.
inline constexpr mode_t log_file_mode = 0640;

/// Same terms as the system calls: -1 and errno on failure. Called from the writer thread and the sync
/// thread.
struct file_ops {
    std::function<int(const char*, int, mode_t)> open = [](const char* path, int flags, mode_t mode) {
        return ::open(path, flags, mode);
    };
    std::function<ssize_t(int, const void*, std::size_t)> write = ::write;
    std::function<int(int, off_t)> ftruncate = ::ftruncate;
    std::function<int(int)> fdatasync = ::fdatasync;
    std::function<int(int)> fsync = ::fsync;
    std::function<int(const char*)> unlink = ::unlink;
    std::function<int(const char*, const char*)> rename = ::rename;
};

}  // namespace livelogd::storage
