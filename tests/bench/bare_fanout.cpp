// SPDX-License-Identifier: MIT
// The bound of fan-out: lines from a Unix socket into a file and, as events, to everybody who has connected
// over TCP.
//
//   bare_fanout --socket=PATH --folder=DIR [--ring=BYTES]
//
// One thread, one ring of encoded bytes for all, one send per subscriber and wake-up. HTTP is only as much as
// a client needs; no JSON is looked at; nobody can resume, filter or fall behind: while the slowest
// subscriber is a ring behind, nothing more is read. Prints the port it listens on. Ends by a signal.
#include "tests/bench/support.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/uio.h>

namespace {

constexpr std::size_t read_bytes = 256u << 10;

class byte_ring {
  public:
    explicit byte_ring(std::size_t size) : bytes_(size) {}
    [[nodiscard]] std::uint64_t end() const { return end_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    void append(std::string_view text) {
        const auto at = static_cast<std::size_t>(end_ % bytes_.size());
        const auto here = std::min(text.size(), bytes_.size() - at);
        std::memcpy(bytes_.data() + at, text.data(), here);
        std::memcpy(bytes_.data(), text.data() + here, text.size() - here);
        end_ += text.size();
    }
    /// From `from` to the end, in at most two pieces.
    [[nodiscard]] std::array<iovec, 2> since(std::uint64_t from) {
        const auto at = static_cast<std::size_t>(from % bytes_.size());
        const auto length = static_cast<std::size_t>(end_ - from);
        const auto here = std::min(length, bytes_.size() - at);
        return {{{bytes_.data() + at, here}, {bytes_.data(), length - here}}};
    }

  private:
    std::vector<char> bytes_;
    std::uint64_t end_ = 0;
};

struct subscriber {
    int fd = -1;
    bool asked = false;      ///< its request has arrived
    bool blocked = false;    ///< its socket is full
    std::uint64_t done = 0;  ///< position in the ring
};

class fanout {
  public:
    explicit fanout(const bench::options& o)
        : ring_(o.number("ring", 32u << 20)), epoll_(::epoll_create1(EPOLL_CLOEXEC)), buffer_(read_bytes) {
        unix_ = bench::listen_unix(o.needed("socket"));
        const auto path = o.needed("folder") + "/0.jsonl";
        file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        bench::require(file_ >= 0, path);
        listen_tcp();
        watch(unix_, EPOLLIN);
        watch(tcp_, EPOLLIN);
    }

    void serve() {
        std::array<epoll_event, 512> ready{};
        for (;;) {
            const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), -1);
            for (int i = 0; i < count; ++i) {
                const auto& event = ready[static_cast<std::size_t>(i)];
                handle(event.data.fd, event.events);
            }
            if (ring_.end() != told_) {
                told_ = ring_.end();
                for (auto& [fd, s] : subscribers_)
                    if (s.asked && !s.blocked) push(s);
                forget_dead();
            }
            pace();
        }
    }

  private:
    void listen_tcp() {
        tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bench::require(tcp_ >= 0, "socket");
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        bench::require(::bind(tcp_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
        bench::require(::listen(tcp_, 2048) == 0, "listen");
        bench::require(::getsockname(tcp_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
        std::printf("%d\n", ntohs(address.sin_port));
        std::fflush(stdout);
    }
    void watch(int fd, std::uint32_t what) { control(EPOLL_CTL_ADD, fd, what); }
    void control(int operation, int fd, std::uint32_t what) const {
        epoll_event event{};
        event.events = what;
        event.data.fd = fd;
        bench::require(::epoll_ctl(epoll_, operation, fd, &event) == 0, "epoll_ctl");
    }

    void handle(int fd, std::uint32_t what) {
        if (fd == unix_) {
            accept_sender();
        } else if (fd == tcp_) {
            accept_subscriber();
        } else if (const auto found = subscribers_.find(fd); found != subscribers_.end()) {
            attend(found->second, what);
        } else {
            take(fd);
        }
    }
    void accept_sender() {
        const int fd = ::accept4(unix_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        senders_[fd];
        watch(fd, paused_ ? 0u : EPOLLIN);
    }
    void accept_subscriber() {
        const int fd = ::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        subscribers_[fd].fd = fd;
        watch(fd, EPOLLIN | EPOLLRDHUP);
    }
    void attend(subscriber& s, std::uint32_t what) {
        if ((what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
            drop(s);
            forget_dead();
            return;
        }
        if ((what & EPOLLIN) != 0) {
            std::array<char, 4096> request{};  // one small packet: not worth collecting
            if (::recv(s.fd, request.data(), request.size(), 0) > 0 && !s.asked) {
                bench::send_whole(
                    s.fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
                s.asked = true;
                s.done = ring_.end();
            }
        }
        if ((what & EPOLLOUT) != 0) {
            s.blocked = false;
            control(EPOLL_CTL_MOD, s.fd, EPOLLIN | EPOLLRDHUP);
            push(s);
            forget_dead();
        }
    }
    void push(subscriber& s) {
        auto pieces = ring_.since(s.done);
        msghdr message{};
        message.msg_iov = pieces.data();
        message.msg_iovlen = pieces[1].iov_len == 0 ? 1 : 2;
        const auto n = ::sendmsg(s.fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            drop(s);
            return;
        }
        s.done += n > 0 ? static_cast<std::uint64_t>(n) : 0;
        if (s.done == ring_.end()) return;
        s.blocked = true;
        control(EPOLL_CTL_MOD, s.fd, EPOLLIN | EPOLLRDHUP | EPOLLOUT);
    }
    void drop(subscriber& s) { dead_.push_back(s.fd); }
    void forget_dead() {
        for (const int fd : dead_) {
            subscribers_.erase(fd);
            ::close(fd);
        }
        dead_.clear();
    }

    void take(int fd) {
        auto& begun = senders_[fd];
        const auto n = ::read(fd, buffer_.data(), buffer_.size());
        if (n <= 0) {
            senders_.erase(fd);
            ::close(fd);
            return;
        }
        begun.append(buffer_.data(), static_cast<std::size_t>(n));
        const auto whole = begun.rfind('\n') + 1;
        if (whole == 0) return;
        bench::write_whole(file_, std::string_view(begun).substr(0, whole));
        for (std::size_t at = 0; at < whole;) {
            const auto end = begun.find('\n', at) + 1;
            ring_.append("data: ");
            ring_.append(std::string_view(begun).substr(at, end - at));
            ring_.append("\n");
            at = end;
        }
        begun.erase(0, whole);
    }

    /// Reads on only while what the next reads may bring fits in front of the slowest subscriber.
    void pace() {
        auto slowest = ring_.end();
        for (const auto& [fd, s] : subscribers_)
            if (s.asked) slowest = std::min(slowest, s.done);
        const auto room = ring_.size() - static_cast<std::size_t>(ring_.end() - slowest);
        const bool full = room < (senders_.size() + 1) * 2 * read_bytes;
        if (full == paused_) return;
        paused_ = full;
        for (const auto& [fd, begun] : senders_)
            control(EPOLL_CTL_MOD, fd, paused_ ? 0u : EPOLLIN);
    }

    byte_ring ring_;
    int epoll_;
    int unix_ = -1;
    int tcp_ = -1;
    int file_ = -1;
    std::vector<char> buffer_;
    std::unordered_map<int, std::string> senders_;  ///< with the line that has not ended
    std::unordered_map<int, subscriber> subscribers_;
    std::vector<int> dead_;
    std::uint64_t told_ = 0;
    bool paused_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, [](const bench::options& o) {
        auto server = std::make_unique<fanout>(o);
        server->serve();
    });
}
