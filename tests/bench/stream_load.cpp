// SPDX-License-Identifier: MIT
// The load of fan-out: one sender, many event streams.
//
//   stream_load --file=F --socket=PATH --port=N --streams=S --count=N [--rate=R] [--path=/api/v1/logs/stream]
//               [--stuck=K] [--pid=P] [--partial]
//
//   --rate     records a second, evenly; default: as fast as they are taken, in blocks of 64 KiB
//   --stuck    so many streams more, of which nothing is read until the others have all; then all of it
//   --partial  a filter is in the path: what does not come is not missing
//
// Each record is one of the file, with two members in front: its number and the time at which it was due
// (with --rate) or written. Prints one line of JSON: events that the streams got, seconds from the first
// write to the last event, what is missing or came out of order, quantiles of the time from the one to the
// other in milliseconds, and of the process its CPU seconds, memory at the end and at its peak.
#include "tests/bench/support.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

namespace {

constexpr std::size_t block_bytes = 64u << 10;
constexpr std::size_t read_bytes = 256u << 10;
constexpr std::uint64_t patience_ns = 10'000'000'000;  ///< without any event: what is missing will not come

struct settings {
    std::uint64_t count = 0;
    std::uint64_t rate = 0;
    std::size_t streams = 0;
    std::size_t stuck = 0;
    bool partial = false;
};

class sender {
  public:
    sender(const std::string& file, const std::string& socket, const settings& s)
        : settings_(s), fd_(bench::connect_unix(socket)), text_(bench::read_file(file)) {
        const std::string_view all = text_;
        for (std::size_t at = 0; at < all.size();) {
            const auto end = std::min(all.find('\n', at), all.size() - 1) + 1;
            lines_.push_back(all.substr(at + 1, end - at - 1));  // without the brace, with the LF
            at = end;
        }
    }
    ~sender() {
        if (thread_.joinable()) thread_.join();
        ::close(fd_);
    }
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;

    void start() {
        begun_ = bench::now_ns();
        thread_ = std::thread([this] {
            try {
                ::prctl(PR_SET_TIMERSLACK, 1'000ul);
                settings_.rate == 0 ? flood() : pace();
            } catch (const std::exception& error) {
                std::fprintf(stderr, "stream_load: %s\n", error.what());
            }
            done_ = true;
        });
    }
    [[nodiscard]] std::uint64_t begun() const { return begun_; }
    [[nodiscard]] bool done() const { return done_; }

  private:
    void append(std::string& out, std::uint64_t n, std::uint64_t time_ns) const {
        out += "{\"n\":";
        out += std::to_string(n);
        out += ",\"t\":";
        out += std::to_string(time_ns);
        out += ',';
        out += lines_[static_cast<std::size_t>(n % lines_.size())];
    }
    void flood() const {
        std::string block;
        for (std::uint64_t n = 0; n < settings_.count;) {
            block.clear();
            const auto now = bench::now_ns();
            while (n < settings_.count && block.size() < block_bytes)
                append(block, n++, now);
            bench::send_whole(fd_, block);
        }
    }
    void pace() const {
        std::string record;
        for (std::uint64_t n = 0; n < settings_.count; ++n) {
            const auto due = begun_ + n * 1'000'000'000u / settings_.rate;
            bench::sleep_until(due);
            record.clear();
            append(record, n, due);
            bench::send_whole(fd_, record);
        }
    }

    const settings& settings_;
    int fd_;
    std::string text_;
    std::vector<std::string_view> lines_;
    std::uint64_t begun_ = 0;
    std::atomic<bool> done_ = false;
    std::thread thread_;
};

/// Times in steps of an eighth of a microsecond up to 4 ms, of 32 µs up to a second; what is longer counts as
/// a second.
class times {
  public:
    void add(std::uint64_t ns) {
        ++count_;
        longest_ = std::max(longest_, ns);
        if (ns < fine_.size() * fine_step)
            ++fine_[static_cast<std::size_t>(ns / fine_step)];
        else
            ++coarse_[static_cast<std::size_t>(
                std::min(ns / coarse_step, std::uint64_t{coarse_.size()} - 1))];
    }
    [[nodiscard]] double quantile_ms(double q) const {
        const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(count_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < fine_.size(); ++i) {
            seen += fine_[i];
            if (seen > wanted) return static_cast<double>(i * fine_step) / 1e6;
        }
        for (std::size_t i = 0; i < coarse_.size(); ++i) {
            seen += coarse_[i];
            if (seen > wanted) return static_cast<double>(i * coarse_step) / 1e6;
        }
        return longest_ms();
    }
    [[nodiscard]] double longest_ms() const { return static_cast<double>(longest_) / 1e6; }

  private:
    static constexpr std::uint64_t fine_step = 128;
    static constexpr std::uint64_t coarse_step = 32'768;
    std::vector<std::uint64_t> fine_ = std::vector<std::uint64_t>(32'768);
    std::vector<std::uint64_t> coarse_ = std::vector<std::uint64_t>(32'768);
    std::uint64_t count_ = 0;
    std::uint64_t longest_ = 0;
};

struct stream {
    int fd = -1;
    std::string begun;  ///< the line that has not ended
    std::uint64_t next = 0;
    std::uint64_t events = 0;
    bool ended = false;
};

class readers {
  public:
    readers(const settings& s, std::uint16_t port, const std::string& path)
        : settings_(s),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)),
          buffer_(read_bytes),
          streams_(s.streams + s.stuck) {
        for (std::size_t i = 0; i < streams_.size(); ++i) {
            connect(streams_[i], port, path);
            if (i < s.streams) watch(i);
        }
    }

    /// Until every stream of the first `count` has the last record, or nothing has come for too long.
    void read_all(std::size_t count, const sender& from) {
        std::vector<epoll_event> ready(512);
        auto last_seen = bench::now_ns();
        for (;;) {
            const int n = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), 100);
            for (int i = 0; i < n; ++i)
                read(streams_[ready[static_cast<std::size_t>(i)].data.u64]);
            const auto now = bench::now_ns();
            if (n > 0 || !from.done()) last_seen = now;
            if (from.done() && finished_ >= count) return;
            if (now - last_seen > (settings_.partial ? patience_ns / 20 : patience_ns)) return;
        }
    }
    void watch_stuck() {
        for (std::size_t i = settings_.streams; i < streams_.size(); ++i)
            watch(i);
    }

    [[nodiscard]] std::uint64_t events(std::size_t from, std::size_t to) const {
        std::uint64_t sum = 0;
        for (std::size_t i = from; i < to; ++i)
            sum += streams_[i].events;
        return sum;
    }
    [[nodiscard]] const times& latencies() const { return latencies_; }
    [[nodiscard]] std::uint64_t last_event() const { return last_event_; }
    [[nodiscard]] std::uint64_t disorder() const { return disorder_; }

  private:
    void connect(stream& s, std::uint16_t port, const std::string& path) const {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        s.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bench::require(s.fd >= 0, "socket");
        bench::require(::connect(s.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
                       "connect");
        bench::send_whole(
            s.fd, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
        std::array<char, 4096> answer{};  // it goes on the live end once it has answered
        const auto n = ::recv(s.fd, answer.data(), answer.size(), 0);
        bench::require(n > 0, "recv");
        const std::string_view head(answer.data(), static_cast<std::size_t>(n));
        const auto end = head.find("\r\n\r\n");
        if (!head.starts_with("HTTP/1.1 200") || end == head.npos)
            throw std::runtime_error("no stream: " + std::string(head.substr(0, 200)));
        s.begun = head.substr(end + 4);
        if (head.find("chunked") < end) throw std::runtime_error("a chunked stream is not understood");
    }
    void watch(std::size_t i) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = i;
        bench::require(::epoll_ctl(epoll_, EPOLL_CTL_ADD, streams_[i].fd, &event) == 0, "epoll_ctl");
    }

    void read(stream& s) {
        if (s.begun.size() + read_bytes > buffer_.size()) buffer_.resize(s.begun.size() + read_bytes);
        std::memcpy(buffer_.data(), s.begun.data(), s.begun.size());
        const auto n = ::recv(s.fd, buffer_.data() + s.begun.size(), read_bytes, MSG_DONTWAIT);
        if (n <= 0) {
            if (n < 0 && errno == EAGAIN) return;
            ::close(s.fd);
            s.fd = -1;
            end(s);
            return;
        }
        const std::string_view all(buffer_.data(), s.begun.size() + static_cast<std::size_t>(n));
        const auto now = bench::now_ns();
        std::size_t at = 0;
        for (std::size_t end = 0; (end = all.find('\n', at)) != all.npos; at = end + 1)
            line(s, all.substr(at, end - at), now);
        s.begun.assign(all.substr(at));
    }
    void line(stream& s, std::string_view text, std::uint64_t now) {
        constexpr std::string_view before = "data: {\"n\":";
        constexpr std::string_view between = ",\"t\":";
        if (!text.starts_with(before)) return;
        std::uint64_t n = 0;
        std::uint64_t t = 0;
        const char* const last = text.data() + text.size();
        const char* const comma = std::from_chars(text.data() + before.size(), last, n).ptr;
        std::from_chars(comma + between.size(), last, t);
        if (n < s.next) {
            ++disorder_;
            return;
        }
        s.next = n + 1;
        ++s.events;
        last_event_ = now;
        // The first tenth warms up.
        if (n >= settings_.count / 10) latencies_.add(now > t ? now - t : 0);
        if (s.next == settings_.count) end(s);
    }
    void end(stream& s) {
        if (!s.ended) ++finished_;
        s.ended = true;
    }

    const settings& settings_;
    int epoll_;
    std::vector<char> buffer_;
    std::vector<stream> streams_;
    times latencies_;
    std::uint64_t last_event_ = 0;
    std::uint64_t disorder_ = 0;
    std::size_t finished_ = 0;
};

/// A number of kB in /proc/PID/status, in MiB.
double memory_mib(pid_t pid, const std::string& what) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(what + ":")) return std::stod(line.substr(what.size() + 1)) / 1024;
    return 0;
}

void load(const bench::options& o) {
    const settings s{o.number("count", 0), o.number("rate", 0),
                     static_cast<std::size_t>(o.number("streams", 1)),
                     static_cast<std::size_t>(o.number("stuck", 0)), o.has("partial")};
    const auto pid = static_cast<pid_t>(o.number("pid", 0));
    sender from(o.needed("file"), o.needed("socket"), s);
    readers to(s, static_cast<std::uint16_t>(std::stoul(o.needed("port"))),
               o.text("path", "/api/v1/logs/stream"));

    const auto cpu_before = bench::cpu_ns(pid);
    from.start();
    to.read_all(s.streams, from);
    const auto cpu = bench::cpu_ns(pid) - cpu_before;
    const auto seconds = bench::seconds(to.last_event() - std::min(to.last_event(), from.begun()));
    const auto events = to.events(0, s.streams);
    const auto rss = memory_mib(pid, "VmRSS");
    const auto p50 = to.latencies().quantile_ms(0.5);
    const auto p99 = to.latencies().quantile_ms(0.99);
    const auto longest = to.latencies().longest_ms();
    to.watch_stuck();
    if (s.stuck > 0) to.read_all(s.streams + s.stuck, from);
    const auto all_events = to.events(0, s.streams + s.stuck);
    const auto missing = s.partial ? 0 : (s.streams + s.stuck) * s.count - all_events;
    std::printf(
        "{\"events\":%llu,\"seconds\":%.6f,\"missing\":%llu,\"disorder\":%llu,\"p50_ms\":%.4f,\"p99_ms\":%."
        "4f,"
        "\"max_ms\":%.3f,\"cpu_s\":%.4f,\"rss_mib\":%.1f,\"peak_mib\":%.1f}\n",
        static_cast<unsigned long long>(events), seconds, static_cast<unsigned long long>(missing),
        static_cast<unsigned long long>(to.disorder()), p50, p99, longest, bench::seconds(cpu), rss,
        memory_mib(pid, "VmHWM"));
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, load);
}
