// SPDX-License-Identifier: MIT
#include "daemon/app/configuration.hpp"
#include "daemon/app/heartbeat.hpp"
#include "daemon/app/passed_sockets.hpp"
#include "daemon/app/service_manager.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>
#include <string>

using namespace livelogd;
using namespace livelogd::app;

namespace {

std::map<std::string, std::string> variables;

const char* variable(const char* name) {
    const auto it = variables.find(name);
    return it == variables.end() ? nullptr : it->second.c_str();
}

/// A socket of that type bound to the path, as the number of its descriptor.
int bound(const std::string& path, int type) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), path.size());
    const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    return fd;
}

std::string received(int fd) {
    std::array<char, 512> buffer{};
    const auto size = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return size < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(size));
}

/// Moves the descriptors to consecutive numbers, as a service manager passes them, and tells the variables.
int pass_on(const std::vector<int>& sockets, const std::string& names) {
    const int first = 200;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        const int wanted = first + static_cast<int>(i);
        REQUIRE(::dup2(sockets[i], wanted) == wanted);
        ::close(sockets[i]);
    }
    variables = {{"LISTEN_PID", std::to_string(::getpid())},
                 {"LISTEN_FDS", std::to_string(sockets.size())},
                 {"LISTEN_FDNAMES", names}};
    return first;
}

}  // namespace

TEST_CASE("sockets that are passed on are told apart by their names", "[app][service]") {
    const test::temp_dir folder;
    const auto ingest = (folder.path() / "i").string();
    const auto web = (folder.path() / "h").string();

    SECTION("in whatever order") {
        const int first = pass_on({bound(web, SOCK_STREAM), bound(ingest, SOCK_STREAM)}, "http:ingest");
        auto taken = take_passed_sockets(variable, first);
        REQUIRE(taken.ingest);
        CHECK(taken.ingest->address().host == ingest);
        REQUIRE(taken.http.size() == 1);
        CHECK(taken.http[0].address().text() == "unix:" + web);
        int listening = 0;
        socklen_t size = sizeof listening;
        ::getsockopt(taken.http[0].fd(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
        CHECK(listening == 1);
        CHECK((::fcntl(taken.http[0].fd(), F_GETFD) & FD_CLOEXEC) != 0);
    }
    SECTION("their files stay") {
        const int first = pass_on({bound(ingest, SOCK_STREAM)}, "ingest");
        {
            auto taken = take_passed_sockets(variable, first);
        }
        CHECK(std::filesystem::exists(ingest));
    }
    SECTION("those of another process are left alone") {
        const int first = pass_on({bound(ingest, SOCK_STREAM)}, "ingest");
        variables["LISTEN_PID"] = "1";
        CHECK_FALSE(take_passed_sockets(variable, first).ingest);
        CHECK(::fcntl(first, F_GETFD) >= 0);
        ::close(first);
    }
    SECTION("a name that means nothing is refused") {
        const int first = pass_on({bound(ingest, SOCK_STREAM)}, "livelogd.socket");
        CHECK_THROWS_WITH(take_passed_sockets(variable, first),
                          Catch::Matchers::Contains("'livelogd.socket'")
                              && Catch::Matchers::Contains("FileDescriptorName="));
    }
    SECTION("so is a socket for datagrams") {
        const int first = pass_on({bound(ingest, SOCK_DGRAM)}, "ingest");
        CHECK_THROWS_WITH(take_passed_sockets(variable, first), Catch::Matchers::Contains("ListenStream="));
    }
    SECTION("and a second one for records") {
        const int first = pass_on({bound(ingest, SOCK_STREAM), bound(web, SOCK_STREAM)}, "ingest:ingest");
        CHECK_THROWS_AS(take_passed_sockets(variable, first), configuration_error);
        ::close(first + 1);
    }
}

TEST_CASE("the service manager is told in datagrams", "[app][service]") {
    const test::temp_dir folder;
    const auto place = (folder.path() / "notify").string();
    const base::unique_fd listener(bound(place, SOCK_DGRAM));

    SECTION("where it listens") {
        variables = {{"NOTIFY_SOCKET", place}};
        const service_manager manager(variable);
        REQUIRE(manager.listens());
        manager.ready();
        CHECK(received(listener.get()) == "READY=1");
        manager.status("one\nREADY=1");
        CHECK(received(listener.get()) == "STATUS=one READY=1");
        manager.reloading();
        CHECK(received(listener.get()).starts_with("RELOADING=1\nMONOTONIC_USEC="));
        CHECK_FALSE(manager.patience());
    }
    SECTION("and nobody is where it does not") {
        variables = {{"NOTIFY_SOCKET", place + ".gone"}};
        const service_manager manager(variable);
        CHECK_FALSE(manager.listens());
        manager.ready();
        CHECK(received(listener.get()) == "nothing");
    }
    SECTION("the watchdog counts if it is meant for this process") {
        variables = {{"WATCHDOG_USEC", "20000000"}};
        CHECK(service_manager(variable).patience() == std::chrono::seconds(20));
        variables["WATCHDOG_PID"] = std::to_string(::getpid());
        CHECK(service_manager(variable).patience() == std::chrono::seconds(20));
        variables["WATCHDOG_PID"] = "1";
        CHECK_FALSE(service_manager(variable).patience());
        variables = {{"WATCHDOG_USEC", "soon"}};
        CHECK_FALSE(service_manager(variable).patience());
    }
}

TEST_CASE("the status line tells the truth in a sentence", "[app][service]") {
    daemon_state now{1234567, 1, 3, {}, 0};
    CHECK(status_line(now) == "storing; 1,234,567 records since the start, 1 sender, 3 live streams");
    now.trouble = "No space left on device";
    now.waiting = 12;
    CHECK(status_line(now)
          == "STORING FAILS (No space left on device), 12 records waiting; 1,234,567 records since the start, "
             "1 sender, 3 live streams");
}
