// SPDX-License-Identifier: MIT
// What the system knows of this process.
#pragma once

#include <cstdint>
#include <optional>

namespace livelogd::http {

/// What cannot be read is absent.
struct process_numbers {
    std::optional<std::uint64_t> resident_bytes;
    std::optional<std::uint64_t> open_fds;
    std::optional<std::uint64_t> max_fds;
    std::optional<std::uint64_t> cpu_microseconds;  ///< of all threads, in and out of the kernel

    /// Any thread, I/O threads included: the kernel answers from memory, whatever the disk does.
    static process_numbers now();
};

}  // namespace livelogd::http
