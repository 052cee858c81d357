// SPDX-License-Identifier: MIT
#include "daemon/net/listen_address.hpp"
#include "daemon/net/listen_socket.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>

using namespace livelogd;
using net::listen_address;
using net::listen_socket;

namespace {

/// A socket file that nobody listens on any more, as a killed program leaves it.
void leave_stale_socket(const std::filesystem::path& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    const base::unique_fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
}

}  // namespace

TEST_CASE("addresses are read as they are written", "[net]") {
    for (const std::string text :
         {"127.0.0.1:5000", "[::1]:5000", "0.0.0.0:80", "[::]:0", "unix:/run/x.sock"}) {
        CHECK(listen_address::parse(text).text() == text);
    }
    CHECK(listen_address::parse("localhost:1").text() == "127.0.0.1:1");
}

TEST_CASE("what is no address is refused", "[net]") {
    for (const std::string text :
         {"", "5000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x",
          "host.example:80", "::1:80x", "[::1]", "unix:", "[127.0.0.1]:80", "1.2.3:80"}) {
        INFO(text);
        CHECK_THROWS_AS(listen_address::parse(text), std::invalid_argument);
    }
    CHECK_THROWS_AS(listen_address::parse("unix:/" + std::string(net::max_unix_path, 'x')),
                    std::invalid_argument);
}

TEST_CASE("loopback is told from the rest", "[net]") {
    for (const std::string text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/x"}) {
        CHECK(listen_address::parse(text).is_loopback());
    }
    for (const std::string text : {"0.0.0.0:1", "192.168.0.1:1", "[::]:1", "[fe80::1]:1"}) {
        CHECK_FALSE(listen_address::parse(text).is_loopback());
    }
}

TEST_CASE("a port that is taken is told", "[net]") {
    const auto first = listen_socket::open(listen_address::parse("127.0.0.1:0"));
    CHECK(first.address().port != 0);
    try {
        listen_socket::open(first.address());
        FAIL("two sockets on one port");
    } catch (const net::listen_error& error) {
        const std::string text = error.what();
        CHECK(text.find(first.address().text()) != std::string::npos);
        CHECK(text.find("another program") != std::string::npos);
    }
}

TEST_CASE("a Unix socket has its mode, and goes with its owner", "[net]") {
    const test::temp_dir folder;
    const auto path = folder / "in.sock";
    {
        const auto socket =
            listen_socket::open(listen_address::parse("unix:" + path.string()), {0620, std::nullopt});
        struct stat there{};
        REQUIRE(::stat(path.c_str(), &there) == 0);
        CHECK((there.st_mode & 07777) == 0620);
        CHECK_THROWS_AS(listen_socket::open(listen_address::parse("unix:" + path.string())),
                        net::listen_error);
        CHECK(std::filesystem::exists(path));
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a socket left behind is replaced, other files are not", "[net]") {
    const test::temp_dir folder;
    const auto stale = folder / "stale.sock";
    leave_stale_socket(stale);
    REQUIRE(std::filesystem::exists(stale));
    CHECK_NOTHROW(listen_socket::open(listen_address::parse("unix:" + stale.string())));

    const auto file = folder / "precious.txt";
    std::ofstream(file) << "keep me";
    CHECK_THROWS_AS(listen_socket::open(listen_address::parse("unix:" + file.string())), net::listen_error);
    std::string kept;
    std::getline(std::ifstream(file), kept);
    CHECK(kept == "keep me");

    CHECK_THROWS_AS(
        listen_socket::open(listen_address::parse("unix:" + (folder / "no/such/folder.sock").string())),
        net::listen_error);
}

TEST_CASE("a socket of a living program without a lock is left alone", "[net]") {
    const test::temp_dir folder;
    const auto path = folder / "other.sock";
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    const base::unique_fd living(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::bind(living.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    REQUIRE(::listen(living.get(), 1) == 0);
    CHECK_THROWS_AS(listen_socket::open(listen_address::parse("unix:" + path.string())), net::listen_error);
    CHECK(std::filesystem::exists(path));
}
