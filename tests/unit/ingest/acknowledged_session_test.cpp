// SPDX-License-Identifier: MIT
#include "tests/support/catch.hpp"
#include "tests/unit/ingest/running_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <sys/socket.h>

#include <algorithm>

using namespace livelogd;
using test::connect_to;
using test::numbered;
using test::receive;
using test::running;
using test::send_all;
using test::silent;

namespace {

const std::string hello = "{\"livelog\":1,\"client\":\"c\"}\n";

/// A session without a server, whose peer is `sender`; run by the test's thread.
struct lone_session {
    lone_session() {
        rules.store(std::make_shared<const ingest::policy>());
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
            throw std::runtime_error("socketpair failed");
        sender = base::unique_fd(ends[0]);
        net::stream_socket socket(net::asio::make_strand(log.context));
        socket.assign(net::stream_protocol(AF_UNIX, 0), ends[1]);
        one = std::make_shared<ingest::session>(
            std::move(socket),
            ingest::session_context{log.to_log, rules, budget, log.count, 1u << 20,
                                    [](base::severity, std::string_view) {}},
            clients);
        one->start({[this] { read_ended = true; }, [this] { ended = true; }});
    }
    ~lone_session() {
        one->drain(std::chrono::steady_clock::now());
        log.wait_until([this] { return read_ended; });
        one->finish();
        log.wait_until([this] { return ended; });
        log.settle();
    }
    test::live_log log;
    ingest::current_policy rules;
    ingest::line_budget budget{1u << 20};
    ingest::client_ledger clients;
    base::unique_fd sender;
    std::shared_ptr<ingest::session> one;
    bool read_ended = false;
    bool ended = false;
};

}  // namespace

TEST_CASE("a sender that has closed its end is told of all its lines, then the daemon closes", "[ingest]") {
    running r;
    auto sender = connect_to(r.socket_path);
    send_all(sender, hello + numbered(1) + "\n" + numbered(2) + "\n{\"half\":");
    ::shutdown(sender.get(), SHUT_WR);
    CHECK(receive(sender) == "{\"have\":0}\n{\"ack\":2}\n");
    r.stop();
    CHECK(r.file() == numbered(1) + "\n" + numbered(2) + "\n");
    const auto sums = r.log.count.now();
    CHECK(sums.lines == 3);
    CHECK(sums.stored == 2);
    CHECK(sums.unfinished == 1);
}

TEST_CASE("to a sender without a hello nothing is written", "[ingest]") {
    running r;
    auto sender = connect_to(r.socket_path);
    send_all(sender, numbered(1) + "\nmalformed\n");
    ::shutdown(sender.get(), SHUT_WR);
    CHECK(receive(sender).empty());
    CHECK(r.wait_for([&] { return r.log.count.stored == 2; }));
}

TEST_CASE("while storing fails nothing is acknowledged", "[ingest]") {
    running r;
    r.log.to_log.stored().hold();
    auto sender = connect_to(r.socket_path);
    send_all(sender, hello + numbered(1) + "\n");
    CHECK(receive(sender, "\n") == "{\"have\":0}\n");
    REQUIRE(r.wait_for([&] { return r.log.count.stored == 1; }));
    CHECK(silent(sender));
    r.log.to_log.stored().release();
    CHECK(receive(sender, "\n") == "{\"ack\":1}\n");
}

TEST_CASE("durable lines are acknowledged when they are synced", "[ingest]") {
    running r;
    auto sender = connect_to(r.socket_path);
    send_all(sender, "{\"livelog\":1,\"ack\":\"durable\"}\n" + numbered(1) + "\n");
    CHECK(receive(sender, "{\"ack\":1}\n") == "{\"have\":0}\n{\"ack\":1}\n");
    CHECK(r.log.to_log.stored().reached(protocol::ack_level::durable) == r.log.first_id + 1);
}

TEST_CASE("a sender that has gone does not keep its place, one that waits does", "[ingest]") {
    running r(1);
    r.log.to_log.stored().hold();
    auto gone = connect_to(r.socket_path);
    send_all(gone, hello + numbered(1) + "\n");
    CHECK(receive(gone, "\n") == "{\"have\":0}\n");
    gone.reset();
    auto waits = connect_to(r.socket_path);
    send_all(waits, hello + numbered(2) + "\n");
    ::shutdown(waits.get(), SHUT_WR);
    CHECK(receive(waits, "\n") == "{\"have\":1}\n");
    // Its place is taken until it has been told.
    auto next = connect_to(r.socket_path);
    send_all(next, hello);
    CHECK(silent(next));
    r.log.to_log.stored().release();
    // The two lines were handed over one after the other: the first may be told alone.
    const std::string told = receive(waits);
    CHECK((told == "{\"ack\":2}\n" || told == "{\"ack\":1}\n{\"ack\":2}\n"));
    CHECK(receive(next, "{\"ack\":2}\n") == "{\"have\":2}\n{\"ack\":2}\n");
}

TEST_CASE("at the stop senders are told what the log has stored last", "[ingest]") {
    running r;
    auto sender = connect_to(r.socket_path);
    send_all(sender, hello + numbered(1) + "\n");
    CHECK(receive(sender, "{\"ack\":1}\n") == "{\"have\":0}\n{\"ack\":1}\n");
    r.log.to_log.stored().hold();
    send_all(sender, numbered(2) + "\n{\"half\":");
    r.stop([&] {
        CHECK(silent(sender));
        r.log.to_log.stored().release();
    });
    CHECK(receive(sender) == "{\"ack\":2}\n");
    CHECK(r.file() == numbered(1) + "\n" + numbered(2) + "\n");
    CHECK(r.log.count.now().unfinished == 1);
}

TEST_CASE("what could not be stored before the stop is not acknowledged", "[ingest]") {
    running r;
    r.log.to_log.stored().hold();
    auto sender = connect_to(r.socket_path);
    send_all(sender, hello + numbered(1) + "\n");
    r.stop();
    CHECK(receive(sender) == "{\"have\":0}\n");
}

TEST_CASE("a sender that reads no answers is read from as before, and is told less", "[ingest]") {
    running r;
    auto sender = connect_to(r.socket_path);
    send_all(sender, hello);
    constexpr std::uint64_t lines = 1000;
    for (std::uint64_t n = 1; n <= lines; ++n) {
        send_all(sender, "x\n");
        // One at a time, so that there is something new to tell each time.
        REQUIRE(r.wait_for([&] { return r.log.count.stored == n; }));
    }
    ::shutdown(sender.get(), SHUT_WR);
    const auto text = receive(sender);
    CHECK(text.ends_with("{\"ack\":1000}\n"));
    CHECK(static_cast<std::uint64_t>(std::ranges::count(text, '\n')) < lines);
    // Every malformed line is told, or counted.
    std::uint64_t told = 0;
    for (std::size_t at = 0; (at = text.find("{\"malformed\":", at)) != std::string::npos; ++at) {
        const auto line = text.substr(at, text.find('\n', at) - at);
        const auto more = line.find("\"more\":");
        told += more == std::string::npos ? 1 : std::stoull(line.substr(more + 7));
    }
    CHECK(told == lines);
}

TEST_CASE("a half line that is given up ends an acknowledged connection, for its sender has it still",
          "[ingest]") {
    lone_session s;
    send_all(s.sender, hello + numbered(1) + "\n{\"half\":");
    CHECK(s.log.wait_until([&] { return s.log.count.stored == 1; }));
    s.log.settle();
    s.one->give_up_line_silent_for(std::chrono::seconds(0));
    CHECK(s.log.wait_until([&] { return s.ended; }));
    const auto text = receive(s.sender);
    CHECK(text.find("{\"ack\":1}\n") != std::string::npos);
    CHECK(text.find("{\"error\":\"the line was left unfinished") != std::string::npos);
    const auto sums = s.log.count.now();
    CHECK(sums.lines == 2);
    CHECK(sums.stored == 1);
    CHECK(sums.unfinished == 1);
    CHECK(sums.malformed == 0);
}

TEST_CASE("a refused hello closes the connection and leaves nothing", "[ingest]") {
    lone_session s;
    send_all(s.sender, "{\"livelog\":1,\"ack\":\"maybe\"}\n" + numbered(1) + "\n");
    CHECK(s.log.wait_until([&] { return s.ended; }));
    CHECK(receive(s.sender) == "{\"error\":\"\\\"ack\\\" must be \\\"written\\\" or \\\"durable\\\"\"}\n");
    CHECK(s.log.count.now().lines == 0);
    CHECK(s.log.count.now().waiting == 0);
}
