// SPDX-License-Identifier: MIT
#include "daemon/http/process_numbers.hpp"

#include "daemon/base/unique_fd.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

namespace livelogd::http {
namespace {

std::optional<std::uint64_t> read_resident_bytes() {
    const base::unique_fd file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    std::array<char, 256> buffer{};
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    const long page = ::sysconf(_SC_PAGESIZE);
    if (size <= 0 || page <= 0) return std::nullopt;
    // All sizes in pages: the whole, then what is resident.
    std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    text.remove_prefix(space + 1);
    std::uint64_t pages = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pages);
    if (error != std::errc{}) return std::nullopt;
    return pages * static_cast<std::uint64_t>(page);
}

std::optional<std::uint64_t> count_open_fds() {
    DIR* folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) return std::nullopt;
    std::uint64_t count = 0;
    while (const dirent* entry = ::readdir(folder)) {
        if (entry->d_name[0] != '.') ++count;
    }
    ::closedir(folder);
    return count > 0 ? count - 1 : 0;  // without the one that was opened to count them
}

std::optional<std::uint64_t> read_max_fds() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
    return limit.rlim_cur;
}

std::optional<std::uint64_t> read_cpu_microseconds() {
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return std::nullopt;
    const auto sum = [](const timeval& time) {
        return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
    };
    return sum(usage.ru_utime) + sum(usage.ru_stime);
}

}  // namespace

process_numbers process_numbers::now() {
    return {read_resident_bytes(), count_open_fds(), read_max_fds(), read_cpu_microseconds()};
}

}  // namespace livelogd::http
