// SPDX-License-Identifier: MIT
#include "tests/support/catch.hpp"
#include "tests/unit/ingest/running_server.hpp"

using namespace livelogd;
using test::connect_to;
using test::numbered;
using test::running;
using test::send_all;

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
    REQUIRE(r.wait_for([&] { return r.log.count.stored == 1; }));
    r.stop();
    const auto file = r.file();
    CHECK(file.starts_with(numbered(1) + "\n"));
    CHECK(file.find("the daemon stopped before the line had ended") != std::string::npos);
    CHECK(file.find(R"("raw":"{\"half\":")") != std::string::npos);
}

TEST_CASE("a line over the limit that is under way at the stop is told, not lost", "[ingest]") {
    running r;
    auto sender = connect_to(r.socket_path);
    send_all(sender, numbered(1) + "\n" + std::string((1u << 20) + 5000, 'x'));
    r.stop();
    const auto file = r.file();
    CHECK(file.starts_with(numbered(1) + "\n"));
    CHECK(file.find("at most 1048576 are taken (max_record_bytes)") != std::string::npos);
    CHECK(r.log.count.now().lines == 2);
    CHECK(r.log.count.now().stored == 2);
}

TEST_CASE("a last line without its end counts when the sender closes", "[ingest]") {
    running r;
    {
        auto sender = connect_to(r.socket_path);
        send_all(sender, numbered(1));
    }
    CHECK(r.wait_for([&] { return r.log.count.stored == 1; }));
    r.stop();
    CHECK(r.file() == numbered(1) + "\n");
}

TEST_CASE("senders over the limit wait, and lose nothing", "[ingest]") {
    running r(2);
    auto one = connect_to(r.socket_path);
    auto two = connect_to(r.socket_path);
    send_all(one, numbered(1) + "\n");
    send_all(two, numbered(2) + "\n");
    REQUIRE(r.wait_for([&] { return r.log.count.stored == 2; }));
    auto three = connect_to(r.socket_path);
    auto four = connect_to(r.socket_path);
    send_all(three, numbered(3) + "\n");
    send_all(four, numbered(4) + "\n");
    one.reset();
    two.reset();
    CHECK(r.wait_for([&] { return r.log.count.stored == 4; }));
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
    CHECK(r.wait_for([&] { return r.log.count.stored == senders * each; }));
    CHECK(r.log.count.malformed == 0);
    r.stop();
    const auto file = r.file();
    for (std::uint64_t n = 0; n < senders * each; n += 97)
        CHECK(file.find(numbered(n) + "\n") != std::string::npos);
    CHECK(static_cast<std::uint64_t>(std::ranges::count(file, '\n')) == senders * each);
}
