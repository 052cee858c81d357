// SPDX-License-Identifier: MIT
// What the programs of the benchmark share: options, clocks, sockets, what a process has used.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

namespace bench {

[[noreturn]] inline void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

inline void require(bool fine, const std::string& what) {
    if (!fine) fail(what);
}

/// `--name=value` for every option; `--name` alone is "1".
class options {
  public:
    options(int argc, char** argv) {
        for (int i = 1; i < argc; ++i) {
            const std::string_view word = argv[i];
            if (!word.starts_with("--")) throw std::runtime_error("not an option: " + std::string(word));
            const auto equals = word.find('=');
            const auto name = word.substr(2, equals == word.npos ? equals : equals - 2);
            given_[std::string(name)] = equals == word.npos ? "1" : std::string(word.substr(equals + 1));
        }
    }

    [[nodiscard]] bool has(const std::string& name) const { return given_.contains(name); }
    [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = {}) const {
        const auto found = given_.find(name);
        return found == given_.end() ? otherwise : found->second;
    }
    [[nodiscard]] std::string needed(const std::string& name) const {
        if (!has(name)) throw std::runtime_error("--" + name + "=… is missing");
        return text(name);
    }
    [[nodiscard]] std::uint64_t number(const std::string& name, std::uint64_t otherwise) const {
        return has(name) ? std::stoull(text(name)) : otherwise;
    }

  private:
    std::map<std::string, std::string> given_;
};

/// Runs a program's body; an exception becomes a line on stderr and exit code 1.
template <class Body>
int run(int argc, char** argv, Body body) {
    try {
        body(options(argc, argv));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
        return 1;
    }
}

inline std::uint64_t read_clock(clockid_t which) {
    timespec t{};
    ::clock_gettime(which, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

/// Nanoseconds of a clock that never goes back.
inline std::uint64_t now_ns() {
    return read_clock(CLOCK_MONOTONIC);
}

inline void sleep_until(std::uint64_t ns) {
    const timespec t{static_cast<time_t>(ns / 1'000'000'000u), static_cast<long>(ns % 1'000'000'000u)};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
    }
}

inline double seconds(std::uint64_t ns) {
    return static_cast<double>(ns) / 1e9;
}

/// CPU time that a process has used, nanoseconds; pid 0: none.
inline std::uint64_t cpu_ns(pid_t pid) {
    clockid_t clock = 0;
    if (pid == 0 || ::clock_getcpuclockid(pid, &clock) != 0) return 0;
    return read_clock(clock);
}

inline void write_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        require(n >= 0, "write");
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

inline void send_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        require(n >= 0, "send");
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

inline sockaddr_un unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a socket: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

inline int connect_unix(const std::string& path) {
    const auto address = unix_address(path);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(fd >= 0, "socket");
    require(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, path);
    return fd;
}

inline int listen_unix(const std::string& path) {
    const auto address = unix_address(path);
    ::unlink(path.c_str());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(fd >= 0, "socket");
    require(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, path);
    require(::listen(fd, 256) == 0, "listen");
    return fd;
}

inline std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    require(in.good(), path);
    std::string bytes;
    in.seekg(0, std::ios::end);
    bytes.resize(static_cast<std::size_t>(in.tellg()));
    in.seekg(0);
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    require(in.good(), path);
    return bytes;
}

}  // namespace bench
