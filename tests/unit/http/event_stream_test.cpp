// SPDX-License-Identifier: MIT
#include "daemon/http/event_stream.hpp"

#include "protocol/sse.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/filters.hpp"
#include "tests/support/live_log.hpp"
#include "tests/support/scripted_connection.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <string_view>
#include <thread>

using namespace livelogd;
using namespace std::chrono_literals;
using test::numbered;

namespace {

/// One stream over a scripted connection.
struct reader {
    reader(test::live_log& from, http::stream_options options,
           std::size_t room = std::numeric_limits<std::size_t>::max())
        : log(from), client(std::make_shared<test::scripted_connection>(from.context)) {
        client->peer_takes(room);
        auto stream = std::make_shared<http::event_stream>(
            client,
            http::stream_sources{*log.log, log.live, log.files, log.matches, log.counts, log.zone,
                                 log.workers, log.workers, stopping.get_token(), log.served},
            std::move(options));
        auto body = [stream]() -> net::awaitable<void> { co_await stream->run("HEAD\r\n\r\n"); };
        net::asio::co_spawn(client->executor(), std::move(body), [this](const std::exception_ptr& error) {
            CHECK_FALSE(error);
            over = true;
        });
        log.settle();
    }

    /// Waits until so much has come, or the stream is over.
    std::string receive(std::size_t bytes) {
        log.wait_until([&] { return client->output().size() >= bytes || over; });
        log.settle();
        return client->take_output();
    }

    test::live_log& log;
    std::stop_source stopping;
    std::shared_ptr<test::scripted_connection> client;
    bool over = false;
};

/// What a stream that starts behind `position` begins with.
std::string head(protocol::record_id position) {
    return "HEAD\r\n\r\nretry: 2000\n\nid: " + std::to_string(position) + "\n\n";
}

std::string frame(protocol::record_id id, const std::string& json) {
    return "id: " + std::to_string(id) + "\ndata: " + json + "\n\n";
}

std::string frames(protocol::record_id first_id, std::uint64_t from, std::uint64_t to) {
    std::string all;
    for (auto n = from; n < to; ++n)
        all += frame(first_id + n, numbered(n));
    return all;
}

std::vector<std::string> records(std::uint64_t from, std::uint64_t to) {
    std::vector<std::string> lines;
    for (auto n = from; n < to; ++n)
        lines.push_back(numbered(n));
    return lines;
}

}  // namespace

TEST_CASE("a live stream is the head, the retry time, and each record as one event", "[http][stream]") {
    test::live_log log;
    log.append(records(0, 2));
    reader r(log, {});
    const auto start = head(log.first_id + 1);
    CHECK(r.receive(start.size()) == start);
    log.append(records(2, 4));
    CHECK(r.receive(1) == frames(log.first_id, 2, 4));
    log.append(records(4, 5));
    CHECK(r.receive(1) == frames(log.first_id, 4, 5));
    r.client->peer_closes();
    CHECK(log.wait_until([&] { return r.over; }));
}

TEST_CASE("what is stored after the request is in the stream, however late its head goes out",
          "[http][stream]") {
    test::live_log log;
    log.append(records(0, 2));
    reader r(log, {}, 0);
    log.append(records(2, 4));
    r.client->peer_takes(std::numeric_limits<std::size_t>::max());
    const auto expected = head(log.first_id + 1) + frames(log.first_id, 2, 4);
    CHECK(r.receive(expected.size()) == expected);
}

TEST_CASE("a stream resumes behind an id, from the ring", "[http][stream]") {
    test::live_log log;
    log.append(records(0, 10));
    http::stream_options options;
    options.after = log.first_id + 3;
    reader r(log, options);
    const auto expected = head(log.first_id + 3) + frames(log.first_id, 4, 10);
    CHECK(r.receive(expected.size()) == expected);
}

TEST_CASE("after=0 is all that is kept, read from files where the ring is too small", "[http][stream]") {
    test::live_log log({.ring_bytes = 1000, .segment_max_bytes = 5000});
    for (std::uint64_t n = 0; n < 300; n += 3)
        log.append(records(n, n + 3));
    http::stream_options options;
    options.after = 0;
    reader r(log, options);
    const auto expected = head(log.first_id - 1) + frames(log.first_id, 0, 300);
    CHECK(r.receive(expected.size()) == expected);
    log.append(records(300, 301));
    CHECK(r.receive(1) == frames(log.first_id, 300, 301));
}

TEST_CASE("an id from another log is no reason to wait for ever", "[http][stream]") {
    test::live_log log;
    log.append(records(0, 2));
    http::stream_options options;
    options.after = protocol::max_record_id;
    reader r(log, options);
    const auto start = head(log.first_id + 1);
    CHECK(r.receive(start.size()) == start);
    log.append(records(2, 3));
    CHECK(r.receive(1) == frames(log.first_id, 2, 3));
}

TEST_CASE("what retention has removed is told as a gap", "[http][stream]") {
    test::live_log log({.ring_bytes = 1000, .segment_max_bytes = 2000, .backup_count = 1});
    for (std::uint64_t n = 0; n < 400; ++n)
        log.append(records(n, n + 1));
    const auto oldest = log.log->snapshot().oldest_id();
    REQUIRE(oldest > log.first_id + 10);
    http::stream_options options;
    options.after = log.first_id + 4;
    reader r(log, options);
    const auto gap = "event: gap\nid: " + std::to_string(oldest - 1)
                     + "\ndata: {\"from\":" + std::to_string(log.first_id + 5)
                     + ",\"to\":" + std::to_string(oldest - 1) + ",\"reason\":\"no longer kept\"}\n\n";
    const auto expected = head(log.first_id + 4) + gap + frames(log.first_id, oldest - log.first_id, 400);
    CHECK(r.receive(expected.size()) == expected);
}

TEST_CASE("replay shows the newest matching records first", "[http][stream]") {
    test::live_log log;
    for (std::uint64_t n = 0; n < 10; ++n) {
        log.append({numbered(n, n % 2 == 0 ? R"(,"type":"even")" : R"(,"type":"odd")")});
    }
    http::stream_options options;
    options.replay = 2;
    options.filter = test::filter_of_types({"even"});
    reader r(log, options);
    const auto even = [&](std::uint64_t n) {
        return frame(log.first_id + n, numbered(n, R"(,"type":"even")"));
    };
    const auto expected = head(log.first_id + 5) + even(6) + even(8);
    CHECK(r.receive(expected.size()) == expected);
    log.append({numbered(10, R"(,"type":"odd")"), numbered(11, R"(,"type":"even")")});
    CHECK(r.receive(1) == even(11));
}

TEST_CASE("a quiet stream pings, with the id it has examined and the newest one", "[http][stream]") {
    test::live_log log;
    log.append(records(0, 3));
    http::stream_options options;
    options.ping_interval = 30ms;
    options.filter = test::filter_of_types({"errors"});
    reader r(log, options);
    const auto ping = [&](std::uint64_t n) {
        const auto id = std::to_string(log.first_id + n);
        return "event: ping\nid: " + id + "\ndata: {\"id\":" + id + "}\n\n";
    };
    const auto start = head(log.first_id + 2);
    const auto first = r.receive(start.size() + 1);
    CHECK(first.starts_with(start));
    CHECK(first.find(ping(2)) != std::string::npos);
    // Records that do not match move the position that the next ping tells.
    log.append(records(3, 6));
    r.client->take_output();
    std::string next = r.receive(1);
    while (next.find(ping(5)) == std::string::npos && !r.over)
        next += r.receive(1);
    CHECK(next.find(ping(5)) != std::string::npos);
}

TEST_CASE("a stop ends the stream with bye", "[http][stream]") {
    test::live_log log;
    log.append(records(0, 2));
    reader r(log, {});
    r.receive(head(log.first_id + 1).size());
    log.append(records(2, 3));
    r.receive(1);
    log.live.close();
    const auto id = std::to_string(log.first_id + 2);
    CHECK(r.receive(1) == "event: bye\nid: " + id + "\ndata: {}\n\n");
    CHECK(log.wait_until([&] { return r.over; }));
    CHECK(r.client->closed());
}

TEST_CASE("a client that takes the stream in drops gets every byte once", "[http][stream]") {
    const auto seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u);
    const bool filtered = GENERATE(false, true);
    INFO("seed " << seed << (filtered ? ", filtered" : ""));
    std::mt19937 random(seed);
    test::live_log log({.ring_bytes = 3000, .segment_max_bytes = 4000, .backup_count = 1000});
    http::stream_options options;
    options.after = 0;
    if (filtered) options.filter = test::filter_of_types({"b"});
    reader r(log, options);
    std::string expected = head(log.first_id - 1);
    std::string received;
    std::uint64_t n = 0;
    for (int step = 0; step < 300; ++step) {
        std::vector<std::string> lines;
        for (auto count = random() % 4; count > 0; --count, ++n) {
            const bool b = random() % 3 == 0;
            const auto json = numbered(n, R"(,"type":")" + std::string(b ? "b" : "a") + R"(","pad":")"
                                              + std::string(random() % 300, 'x') + "\"");
            lines.push_back(json);
            if (b || !filtered) expected += frame(log.first_id + n, json);
        }
        log.append(lines);
        r.client->peer_takes(random() % 500);
        log.settle();
        received += r.client->take_output();
    }
    r.client->peer_takes(std::numeric_limits<std::size_t>::max());
    received += r.receive(expected.size() - received.size());
    CHECK(received == expected);
    CHECK_FALSE(r.over);
}

TEST_CASE("a client that takes nothing for too long is closed", "[http][stream]") {
    test::live_log log;
    http::stream_options options;
    options.stall = 30ms;
    reader r(log, options);
    r.receive(head(log.first_id - 1).size());
    r.client->peer_takes(5);
    log.append(records(0, 5));
    CHECK(log.wait_until([&] { return r.over; }));
    CHECK(r.client->closed());
    CHECK(r.client->output() == frames(log.first_id, 0, 1).substr(0, 5));
}

TEST_CASE("a status is told to streams that are there and to those that begin while it stands",
          "[http][stream]") {
    test::live_log log;
    log.append(records(0, 1));
    reader early(log, {});
    early.receive(head(log.first_id).size());
    const auto failing = protocol::sse::status_failing("the disk is full", "2026-11-24T10:00:00Z");
    log.live.set_status(std::make_shared<const std::string>(failing), true);
    CHECK(early.receive(1) == failing);
    reader late(log, {});
    CHECK(late.receive(head(log.first_id).size() + failing.size()) == head(log.first_id) + failing);
    http::stream_options options;
    options.after = 0;
    reader resuming(log, options);
    const auto expected = head(log.first_id - 1) + failing + frames(log.first_id, 0, 1);
    CHECK(resuming.receive(expected.size()) == expected);

    const auto ok = protocol::sse::status_ok();
    log.live.set_status(std::make_shared<const std::string>(ok), false);
    for (auto* r : {&early, &late, &resuming})
        CHECK(r->receive(1) == ok);
    reader last(log, {});
    log.append(records(1, 2));
    CHECK(last.receive(1) == head(log.first_id) + frames(log.first_id, 1, 2));
    CHECK(early.receive(1) == frames(log.first_id, 1, 2));
}

TEST_CASE("a status and a ping come between two records, however slow the client", "[http][stream]") {
    // Behind the ring, so that what is half out is finished from the files.
    const bool from_files = GENERATE(true, false);
    INFO((from_files ? "from the files" : "from the ring"));
    test::live_log log({.ring_bytes = from_files ? std::size_t{1000} : std::size_t{1} << 20});
    log.append(records(0, 50));
    log.append(records(50, 60));
    http::stream_options options;
    options.after = 0;
    options.ping_interval = 50ms;
    const auto start = head(log.first_id - 1);
    const auto one = frames(log.first_id, 0, 1);
    reader r(log, options, start.size() + one.size() + 7);
    auto received = r.receive(start.size() + one.size() + 7);
    REQUIRE(received == start + frames(log.first_id, 0, 2).substr(0, one.size() + 7));
    std::this_thread::sleep_for(60ms);  // the ping is due by then
    const auto ok = protocol::sse::status_ok();
    log.live.set_status(std::make_shared<const std::string>(ok), false);
    r.client->peer_takes(std::numeric_limits<std::size_t>::max());
    const auto id = std::to_string(log.first_id + 1);
    const auto ping =
        "event: ping\nid: " + id + "\ndata: {\"id\":" + std::to_string(log.first_id + 59) + "}\n\n";
    const auto expected = start + frames(log.first_id, 0, 2) + ping + ok + frames(log.first_id, 2, 60);
    received += r.receive(expected.size() - received.size());
    CHECK(received.substr(0, expected.size()) == expected);
}

TEST_CASE("pings keep coming while a stream looks through files for what never matches", "[http][stream]") {
    test::live_log log({.ring_bytes = 1000});
    const std::string pad(2000, 'x');
    constexpr std::uint64_t count = 8000;
    for (std::uint64_t n = 0; n < count; n += 1000) {
        std::vector<std::string> lines;
        for (auto i = n; i < n + 1000; ++i)
            lines.push_back(numbered(i, R"(,"pad":")" + pad + "\""));
        log.append(lines);
    }
    http::stream_options options;
    options.after = 0;
    options.filter = test::filter_of_types({"errors"});
    options.ping_interval = 1ms;  // the files hold 16 MB
    reader r(log, options);
    const auto newest = log.first_id + count - 1;
    const auto last = protocol::sse::ping(newest, newest);
    std::string received;
    while (!r.over && received.find(last) == std::string::npos)
        received += r.receive(1);
    // Each tells how far the stream has looked.
    std::vector<protocol::record_id> told;
    const std::string_view mark = "event: ping\nid: ";
    for (auto at = received.find(mark); at != std::string::npos; at = received.find(mark, at + 1))
        told.push_back(std::stoull(received.substr(at + mark.size())));
    REQUIRE(told.size() > 2);
    CHECK(std::is_sorted(told.begin(), told.end()));
    CHECK(told.front() < newest);
    const auto between =
        std::count_if(told.begin(), told.end(), [&](auto id) { return id >= log.first_id && id < newest; });
    CHECK(between > 0);
}

TEST_CASE("a status that comes again and again spoils no record of a client that takes them in drops",
          "[http][stream]") {
    test::live_log log({.ring_bytes = 3000});
    std::mt19937 random(7);
    http::stream_options options;
    options.after = 0;
    reader r(log, options);
    std::string received;
    std::uint64_t n = 0;
    const auto status = std::make_shared<const std::string>(protocol::sse::status_ok());
    const auto take = [&](std::size_t room) {
        log.live.set_status(status, false);
        r.client->peer_takes(room);
        log.settle();
        received += r.client->take_output();
    };
    for (int step = 0; step < 300; ++step) {
        log.append(records(n, n + 3));
        n += 3;
        take(random() % 300);
    }
    const auto all = head(log.first_id - 1) + frames(log.first_id, 0, n);
    std::size_t told = 0;
    const auto without_status = [&] {
        std::string rest = received;
        told = 0;
        for (auto at = rest.find(*status); at != std::string::npos; at = rest.find(*status, at)) {
            rest.erase(at, status->size());
            ++told;
        }
        return rest;
    };
    log.wait_until([&] {
        take(5000);
        return r.over || without_status().size() >= all.size();
    });
    CHECK(without_status() == all);
    CHECK(told > 10);
}
