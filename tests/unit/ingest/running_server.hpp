// SPDX-License-Identifier: MIT
// An ingest server for tests, and senders to it.
#pragma once

#include "daemon/ingest/server.hpp"

#include "tests/support/live_log.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace livelogd::test {

inline base::unique_fd connect_to(const std::filesystem::path& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    base::unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    // Also called on senders' threads, where Catch2 must not be used.
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
        throw std::runtime_error("cannot connect to " + path.string());
    }
    return fd;
}

/// What the daemon sends until it closes, or until that ends with `end`. Empty-handed after 20 s.
inline std::string receive(const base::unique_fd& fd, std::string_view end = {}) {
    timeval patience{20, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string bytes;
    char some[4096];
    while (end.empty() || !bytes.ends_with(end)) {
        const auto size = ::recv(fd.get(), some, sizeof some, 0);
        if (size <= 0) {
            if (size < 0 && errno != ECONNRESET) bytes += "(nothing more came)";
            break;
        }
        bytes.append(some, static_cast<std::size_t>(size));
    }
    return bytes;
}

/// Whether the daemon has sent nothing by now.
inline bool silent(const base::unique_fd& fd) {
    char one = 0;
    return ::recv(fd.get(), &one, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

inline void send_all(const base::unique_fd& fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) throw std::runtime_error("the daemon has closed the connection");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

/// An ingest server on a socket in the log's folder, run by a thread of its own.
struct running {
    explicit running(std::size_t max_connections = 256)
        : socket_path(log.folder / "in.sock"),
          server(log.context, listen(),
                 {log.to_log, rules, budget, log.count, 1u << 20, [](base::severity, std::string_view) {}},
                 max_connections, [](base::severity, std::string_view) {}) {
        rules.store(std::make_shared<const ingest::policy>());
        server.start();
        thread = std::thread([this] { log.context.run(); });
    }
    ~running() {
        stop();
        thread.join();
    }
    net::listen_socket listen() const {
        return net::listen_socket::open(net::listen_address::parse("unix:" + socket_path.string()));
    }
    /// `in_between`: called when the log has stopped, before senders are told so.
    void stop(const std::function<void()>& in_between = {}) {
        if (stopped.exchange(true)) return;
        stop_reading();
        log.log->stop(std::chrono::seconds(5));
        if (in_between) in_between();
        stop_answering();
        guard.reset();
        log.context.stop();
    }
    void stop_reading() {
        std::atomic<bool> done = false;
        server.stop(std::chrono::steady_clock::now() + std::chrono::seconds(2), [&] { done = true; });
        while (!done)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    void stop_answering() {
        log.to_log.stored().close();
        std::atomic<bool> closed = false;
        server.finish([&] { closed = true; });
        while (!closed)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::string file() const {
        std::ostringstream text;
        text << std::ifstream(log.folder / "current").rdbuf();
        return std::move(text).str();
    }
    bool wait_for(const std::function<bool()>& so) const {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!so() && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return so();
    }

    live_log log;
    net::asio::executor_work_guard<net::asio::io_context::executor_type> guard{log.context.get_executor()};
    std::filesystem::path socket_path;
    ingest::current_policy rules;
    ingest::line_budget budget{1u << 20};
    ingest::server server;
    std::thread thread;
    std::atomic<bool> stopped = false;
};

}  // namespace livelogd::test
