// SPDX-License-Identifier: MIT
#include "daemon/ingest/server.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/live_log.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

using namespace livelogd;
using namespace std::chrono_literals;
using test::numbered;

namespace {

base::unique_fd connect_to(const std::filesystem::path& path) {
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

void send_all(const base::unique_fd& fd, std::string_view bytes) {
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
                 {log.to_log, rules, budget, count, 1u << 20, [](base::severity, std::string_view) {}},
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
    void stop() {
        if (stopped.exchange(true)) return;
        std::atomic<bool> done = false;
        server.stop(std::chrono::steady_clock::now() + 2s, [&] { done = true; });
        while (!done)
            std::this_thread::sleep_for(1ms);
        log.log->stop(5s);
        guard.reset();
        log.context.stop();
    }
    std::string file() const {
        std::ostringstream text;
        text << std::ifstream(log.folder / "current").rdbuf();
        return std::move(text).str();
    }
    bool wait_for(const std::function<bool()>& so) const {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (!so() && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(1ms);
        return so();
    }

    test::live_log log;
    net::asio::executor_work_guard<net::asio::io_context::executor_type> guard{log.context.get_executor()};
    std::filesystem::path socket_path;
    ingest::current_policy rules;
    ingest::line_budget budget{1u << 20};
    ingest::counters count;
    ingest::server server;
    std::thread thread;
    std::atomic<bool> stopped = false;
};

}  // namespace

TEST_CASE("what a sender leaves in the socket is stored before the stop", "[ingest]") {
    running r;
    auto quiet = connect_to(r.socket_path);
    auto busy = connect_to(r.socket_path);
    std::string expected;
    for (std::uint64_t n = 0; n < 500; ++n)
        expected += numbered(n) + "\n";
    send_all(busy, expected);
    r.stop();
    CHECK(r.file() == expected);
}

TEST_CASE("half a line at the stop is told, not lost", "[ingest]") {
    running r;
    auto sender = connect_to(r.socket_path);
    send_all(sender, numbered(1) + "\n{\"half\":");
    REQUIRE(r.wait_for([&] { return r.count.records == 1; }));
    r.stop();
    const auto file = r.file();
    CHECK(file.starts_with(numbered(1) + "\n"));
    CHECK(file.find("the daemon stopped before the line had ended") != std::string::npos);
    CHECK(file.find(R"("raw":"{\"half\":")") != std::string::npos);
}

TEST_CASE("a last line without its end counts when the sender closes", "[ingest]") {
    running r;
    {
        auto sender = connect_to(r.socket_path);
        send_all(sender, numbered(1));
    }
    CHECK(r.wait_for([&] { return r.count.records == 1; }));
    r.stop();
    CHECK(r.file() == numbered(1) + "\n");
}

TEST_CASE("senders over the limit wait, and lose nothing", "[ingest]") {
    running r(2);
    auto one = connect_to(r.socket_path);
    auto two = connect_to(r.socket_path);
    send_all(one, numbered(1) + "\n");
    send_all(two, numbered(2) + "\n");
    REQUIRE(r.wait_for([&] { return r.count.records == 2; }));
    auto three = connect_to(r.socket_path);
    auto four = connect_to(r.socket_path);
    send_all(three, numbered(3) + "\n");
    send_all(four, numbered(4) + "\n");
    one.reset();
    two.reset();
    CHECK(r.wait_for([&] { return r.count.records == 4; }));
}

TEST_CASE("many senders at once lose nothing and mix no lines", "[ingest]") {
    running r;
    constexpr std::uint64_t senders = 8;
    constexpr std::uint64_t each = 500;
    std::vector<std::thread> threads;
    for (std::uint64_t s = 0; s < senders; ++s) {
        threads.emplace_back([&r, s] {
            auto fd = connect_to(r.socket_path);
            for (std::uint64_t n = 0; n < each; ++n) {
                const auto line = numbered(s * each + n) + "\n";
                const auto cut = line.size() / 2;
                send_all(fd, std::string_view(line).substr(0, cut));
                send_all(fd, std::string_view(line).substr(cut));
            }
        });
    }
    for (auto& t : threads)
        t.join();
    CHECK(r.wait_for([&] { return r.count.records == senders * each; }));
    CHECK(r.count.malformed == 0);
    r.stop();
    const auto file = r.file();
    for (std::uint64_t n = 0; n < senders * each; n += 97)
        CHECK(file.find(numbered(n) + "\n") != std::string::npos);
    CHECK(static_cast<std::uint64_t>(std::ranges::count(file, '\n')) == senders * each);
}
