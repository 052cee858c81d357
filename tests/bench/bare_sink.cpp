// SPDX-License-Identifier: MIT
// The bound of ingest: lines from a Unix socket into files, whole, and nothing else. No JSON is looked at.
//
//   bare_sink --socket=PATH --folder=DIR [--rotate=BYTES]
//
// One thread. Writes DIR/0.jsonl, DIR/1.jsonl, …, each up to --rotate (10 MiB, as the daemon's). Ends by a
// signal.
#include "tests/bench/support.hpp"

#include <array>
#include <unordered_map>
#include <vector>

#include <sys/epoll.h>

namespace {

class files {
  public:
    files(std::string folder, std::uint64_t rotate) : folder_(std::move(folder)), rotate_(rotate) { next(); }
    void append(std::string_view lines) {
        bench::write_whole(fd_, lines);
        size_ += lines.size();
        if (size_ >= rotate_) next();
    }

  private:
    void next() {
        if (fd_ >= 0) ::close(fd_);
        const auto path = folder_ + "/" + std::to_string(number_++) + ".jsonl";
        fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        bench::require(fd_ >= 0, path);
        size_ = 0;
    }
    std::string folder_;
    std::uint64_t rotate_;
    unsigned number_ = 0;
    int fd_ = -1;
    std::uint64_t size_ = 0;
};

void watch(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    bench::require(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

void serve(const bench::options& o) {
    constexpr std::size_t read_bytes = 1u << 20;
    constexpr std::size_t longest_line = 16u << 20;
    const int listener = bench::listen_unix(o.needed("socket"));
    files out(o.needed("folder"), o.number("rotate", 10u << 20));
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);

    std::unordered_map<int, std::string> begun;  // the line that has not ended, of each connection
    std::vector<char> buffer(read_bytes + longest_line);
    std::array<epoll_event, 64> ready{};
    for (;;) {
        const int count = ::epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int fd = ready[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener) {
                const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
                if (accepted >= 0) watch(epoll, accepted);
                continue;
            }
            auto& left = begun[fd];
            std::memcpy(buffer.data(), left.data(), left.size());
            const auto n = ::read(fd, buffer.data() + left.size(), read_bytes);
            if (n <= 0) {
                ::close(fd);
                begun.erase(fd);
                continue;
            }
            const std::string_view all(buffer.data(), left.size() + static_cast<std::size_t>(n));
            const auto whole = all.rfind('\n') + 1;  // 0 if there is none
            if (whole != 0) out.append(all.substr(0, whole));
            if (all.size() - whole > longest_line) throw std::runtime_error("a line is too long");
            left.assign(all.substr(whole));
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, serve);
}
