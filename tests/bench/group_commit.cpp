// SPDX-License-Identifier: MIT
// The least that must happen for a durable acknowledgement, as the measure for what the daemon adds to it;
// and the senders.
//
//   group_commit serve SOCKET FILE              takes lines, appends them, forces them to the disk,
//   acknowledges group_commit load SOCKET CONNECTIONS SECONDS [hello]
//
// The server has two threads, as any program has that reads on while it waits for the disk: one takes what
// has arrived on all connections, the other writes all of that with one write and one fdatasync, and answers
// each connection with one line. It checks nothing, numbers nothing but lines, and never gives way to
// anything. The load is connections that send one record of 300 bytes each and wait for its acknowledgement
// before the next; it prints records, seconds and the rate.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using clock_type = std::chrono::steady_clock;

constexpr std::size_t record_bytes = 300;
constexpr int most_events = 256;

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

sockaddr_un address_of(const char* path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (std::strlen(path) >= sizeof address.sun_path) {
        std::fputs("the path of the socket is too long\n", stderr);
        std::exit(64);
    }
    std::strcpy(address.sun_path, path);
    return address;
}

void write_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno != EINTR) fail("write");
        if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

void watch(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

// --- the server
// --------------------------------------------------------------------------------------------------

/// What has arrived since the last commit began.
struct group {
    std::string lines;
    std::vector<std::pair<int, unsigned long>> waiting;  ///< connections, and the number of their newest line
};

/// Takes what the reading thread has gathered, all of it at once; on a thread of its own, to the end of the
/// process.
class committer {
  public:
    explicit committer(int file) : file_(file), thread_([this] { run(); }) { thread_.detach(); }

    void add(int connection, std::string_view lines, unsigned long newest) {
        {
            const std::lock_guard lock(mutex_);
            next_.lines += lines;
            next_.waiting.emplace_back(connection, newest);
        }
        wake_.notify_one();
    }

  private:
    void run() {
        group work;
        for (;;) {
            work.lines.clear();
            work.waiting.clear();
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [this] { return !next_.waiting.empty(); });
                std::swap(work, next_);
            }
            write_whole(file_, work.lines);
            if (::fdatasync(file_) != 0) fail("fdatasync");
            for (const auto& [connection, newest] : work.waiting) {
                const std::string ack = "{\"ack\":" + std::to_string(newest) + "}\n";
                (void)!::send(connection, ack.data(), ack.size(), MSG_NOSIGNAL);
            }
        }
    }

    const int file_;
    std::mutex mutex_;  ///< guards next_
    std::condition_variable wake_;
    group next_;
    std::thread thread_;
};

struct sender {
    std::string half;  ///< of a line
    unsigned long lines = 0;
};

void take(int fd, sender& from, std::string_view bytes, committer& commits) {
    from.half += bytes;
    const auto end = from.half.rfind('\n');
    if (end == std::string::npos) return;
    const std::string_view whole(from.half.data(), end + 1);
    from.lines += static_cast<unsigned long>(std::count(whole.begin(), whole.end(), '\n'));
    commits.add(fd, whole, from.lines);
    from.half.erase(0, end + 1);
}

[[noreturn]] void serve(const char* socket_path, const char* file_path) {
    const int file = ::open(file_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (file < 0) fail(file_path);
    static committer commits(file);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(socket_path);
    ::unlink(socket_path);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
    if (::listen(listener, 1024) != 0) fail("listen");
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);
    std::unordered_map<int, sender> senders;
    static char buffer[256 << 10];
    for (;;) {
        epoll_event events[most_events];
        const int ready = ::epoll_wait(epoll, events, most_events, -1);
        for (int i = 0; i < ready; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listener) {
                const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
                if (connection >= 0) {
                    senders[connection] = {};
                    watch(epoll, connection);
                }
                continue;
            }
            const ssize_t n = ::read(fd, buffer, sizeof buffer);
            if (n > 0) {
                take(fd, senders[fd], {buffer, static_cast<std::size_t>(n)}, commits);
            } else if (n == 0 || errno != EINTR) {
                senders.erase(fd);
                ::close(fd);
            }
        }
    }
}

// --- the load
// ----------------------------------------------------------------------------------------------------

int connect_to(const char* path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(path);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
    return fd;
}

std::string make_record() {
    std::string record = R"({"timestamp":"2025-06-26T10:30:45.123456","level":"INFO","message":")";
    record.append(record_bytes - record.size() - 3, 'x');
    return record + "\"}\n";
}

/// Reads to the end of a line. One record is under way, so a line is one acknowledgement.
bool take_line(int fd) {
    char buffer[512];
    for (;;) {
        const ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) fail("the server has closed");
        if (buffer[n - 1] == '\n')
            return std::string_view(buffer, static_cast<std::size_t>(n)).find("error")
                   == std::string_view::npos;
    }
}

int load(const char* path, int connections, double seconds, bool hello) {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    const std::string record = make_record();
    std::vector<int> sockets;
    for (int i = 0; i < connections; ++i) {
        const int fd = connect_to(path);
        if (hello) {
            write_whole(fd, "{\"livelog\":1,\"ack\":\"durable\"}\n");
            if (!take_line(fd)) return 1;
        }
        watch(epoll, fd);
        sockets.push_back(fd);
    }
    const auto begin = clock_type::now();
    const auto end =
        begin + std::chrono::duration_cast<clock_type::duration>(std::chrono::duration<double>(seconds));
    unsigned long done = 0;
    std::size_t open = sockets.size();
    for (const int fd : sockets)
        write_whole(fd, record);
    auto now = begin;
    while (open > 0) {
        epoll_event events[most_events];
        const int ready = ::epoll_wait(epoll, events, most_events, 30'000);
        if (ready <= 0) {
            std::fputs("no acknowledgement within 30 s\n", stderr);
            return 1;
        }
        now = clock_type::now();
        for (int i = 0; i < ready; ++i) {
            const int fd = events[i].data.fd;
            if (!take_line(fd)) return 1;
            ++done;
            if (now < end) {
                write_whole(fd, record);
            } else {
                --open;
                ::close(fd);
            }
        }
    }
    const double took = std::chrono::duration<double>(now - begin).count();
    std::printf("%lu %.6f %.1f\n", done, took, static_cast<double>(done) / took);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv, argv + argc);
    if (argc == 4 && arguments[1] == "serve") serve(argv[2], argv[3]);
    if ((argc == 5 || argc == 6) && arguments[1] == "load") {
        return load(argv[2], std::atoi(argv[3]), std::atof(argv[4]), argc == 6 && arguments[5] == "hello");
    }
    std::fputs("usage: group_commit serve SOCKET FILE | load SOCKET CONNECTIONS SECONDS [hello]\n", stderr);
    return 64;
}
