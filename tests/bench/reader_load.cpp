// SPDX-License-Identifier: MIT
// Load for bench_readers.py: some clients that read a stream, some that never do, and one sender that puts
// the time into each record.
//
//   reader_load PORT SOCKET HONEST STUCK RATE SECONDS PRELOAD
//
// Sends PRELOAD records of 1 KiB, lets STUCK clients ask for all of them and take nothing, connects HONEST
// clients to the live end, and sends RATE records a second for SECONDS. Prints one line of JSON: the time
// from just before write(2) on the ingest socket to the return of read(2) on a client's, over all honest
// clients and all records but those of the first tenth; and how many records did not come. Holds its
// connections until stdin ends, so that the daemon can be looked at.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using clock_type = std::chrono::steady_clock;
using namespace std::chrono_literals;

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(clock_type::now().time_since_epoch()).count();
}

void check(bool fine, const char* what) {
    if (!fine) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

void write_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        check(sent > 0, "send");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

int connect_sender(const char* path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    check(std::strlen(path) < sizeof address.sun_path, "the socket's path");
    std::strcpy(address.sun_path, path);
    check(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
          "connect to the ingest socket");
    return fd;
}

int connect_client(std::uint16_t port, const char* query, int receive_buffer) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    check(fd >= 0, "socket");
    if (receive_buffer > 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect to the daemon");
    write_whole(fd, "GET /api/v1/logs/stream" + std::string(query) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return fd;
}

/// A record of about 300 bytes that tells when it was sent (0: not to be measured).
std::string record(std::int64_t sent_ns, std::size_t padding) {
    return "{\"timestamp\":\"2025-06-26T10:30:45Z\",\"level\":\"INFO\",\"sent_ns\":" + std::to_string(sent_ns)
           + ",\"message\":\"" + std::string(padding, 'x') + "\"}\n";
}

/// Takes a stream apart as far as the measurement needs.
class client {
  public:
    explicit client(int fd) : fd_(fd) {}
    [[nodiscard]] bool begun() const { return begun_; }

    /// Reads once; calls `measured` with the time of each record. False at the end of the stream.
    template <class F>
    bool read_once(F&& measured) {
        static std::array<char, 1 << 17> buffer;
        const auto size = ::read(fd_, buffer.data(), buffer.size());
        if (size <= 0) return false;
        const auto now = now_ns();
        rest_.append(buffer.data(), static_cast<std::size_t>(size));
        std::size_t at = 0;
        for (;;) {
            const auto end = rest_.find("\n\n", at);
            if (end == std::string::npos) break;
            const auto event = std::string_view(rest_).substr(at, end - at);
            at = end + 2;
            // The first block with an id tells that the stream stands at the live end.
            if (event.starts_with("id: ")) begun_ = true;
            const auto mark = event.find(key);
            if (mark == std::string_view::npos) continue;
            std::int64_t sent = 0;
            const auto* first = event.data() + mark + key.size();
            std::from_chars(first, event.data() + event.size(), sent);
            measured(now - sent);
        }
        rest_.erase(0, at);
        return true;
    }

  private:
    static constexpr std::string_view key = "\"sent_ns\":";
    int fd_;
    bool begun_ = false;
    std::string rest_;
};

double percentile_ms(std::vector<std::int64_t>& sorted, double part) {
    if (sorted.empty()) return 0;
    return static_cast<double>(
               sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))])
           / 1e6;
}

int run(char** arguments) {
    const auto port = static_cast<std::uint16_t>(std::atoi(arguments[1]));
    const char* socket_path = arguments[2];
    const int honest = std::atoi(arguments[3]);
    const int stuck = std::atoi(arguments[4]);
    const int rate = std::atoi(arguments[5]);
    const int seconds = std::atoi(arguments[6]);
    const int preload = std::atoi(arguments[7]);

    const int sender = connect_sender(socket_path);
    for (int i = 0; i < preload; ++i)
        write_whole(sender, record(0, 950));
    std::this_thread::sleep_for(500ms);
    // Their sockets are full after a moment: they are sent all that was preloaded, and have room for next to
    // nothing.
    for (int i = 0; i < stuck; ++i)
        connect_client(port, "?after=0", 4096);
    std::this_thread::sleep_for(1s);

    const int poller = ::epoll_create1(0);
    std::vector<client> clients;
    clients.reserve(static_cast<std::size_t>(honest));
    for (int i = 0; i < honest; ++i) {
        const int fd = connect_client(port, "", 0);
        clients.emplace_back(fd);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u32 = static_cast<std::uint32_t>(i);
        check(::epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    }

    const auto expected = static_cast<std::size_t>(rate) * static_cast<std::size_t>(seconds) * clients.size();
    std::vector<std::int64_t> delays;
    delays.reserve(expected);
    const auto read_for_a_while = [&](clock_type::duration patience) {
        std::array<epoll_event, 256> ready;
        const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
        const int count = ::epoll_wait(poller, ready.data(), ready.size(), static_cast<int>(wait));
        for (int i = 0; i < count; ++i) {
            auto& one = clients[ready[static_cast<std::size_t>(i)].data.u32];
            if (!one.read_once([&](std::int64_t delay) { delays.push_back(delay); }))
                throw std::runtime_error("the daemon has closed a stream");
        }
    };

    auto deadline = clock_type::now() + 30s;
    while (!std::ranges::all_of(clients, &client::begun)) {
        if (clock_type::now() > deadline) throw std::runtime_error("the streams do not begin");
        read_for_a_while(100ms);
    }

    std::thread sending([&] {
        const auto began = clock_type::now();
        for (int n = 0; n < rate * seconds; ++n) {
            // The schedule is fixed: a daemon that is late does not make the sender send less.
            std::this_thread::sleep_until(began + n * std::chrono::nanoseconds(1s) / rate);
            write_whole(sender, record(now_ns(), 220));
        }
    });
    deadline = clock_type::now() + std::chrono::seconds(seconds) + 30s;
    while (delays.size() < expected && clock_type::now() < deadline)
        read_for_a_while(100ms);
    sending.join();

    const auto missing = expected - delays.size();
    delays.erase(delays.begin(), delays.begin() + static_cast<std::ptrdiff_t>(delays.size() / 10));
    std::ranges::sort(delays);
    std::printf("{\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"missing\":%zu}\n",
                percentile_ms(delays, 0.5), percentile_ms(delays, 0.99), percentile_ms(delays, 1), missing);
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 8) {
        std::fprintf(stderr, "usage: reader_load PORT SOCKET HONEST STUCK RATE SECONDS PRELOAD\n");
        return 64;
    }
    try {
        return run(arguments);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "reader_load: %s\n", error.what());
        return 1;
    }
}
