// SPDX-License-Identifier: MIT
#include "daemon/app/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <ctime>

namespace livelogd::app {
namespace {

/// A socket that sends to the path, or to the abstract name if it begins with `@`; -1 if that is not
/// possible.
base::unique_fd connected_to(std::string_view place) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (place.size() < 2 || place.size() >= sizeof name.sun_path || (place[0] != '/' && place[0] != '@'))
        return {};
    std::memcpy(name.sun_path, place.data(), place.size());
    if (place[0] == '@') name.sun_path[0] = '\0';
    base::unique_fd made(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + place.size());
    if (!made || ::connect(made.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) return {};
    return made;
}

}  // namespace

service_manager::service_manager(environment variables) {
    if (const char* place = variables("NOTIFY_SOCKET")) socket_ = connected_to(place);
    const auto watched = number_in(variables, "WATCHDOG_PID");
    const auto patience = number_in(variables, "WATCHDOG_USEC");
    if (patience.value_or(0) > 0 && watched.value_or(::getpid()) == ::getpid()) {
        patience_ = std::chrono::microseconds(*patience);
    }
}

void service_manager::reloading() const {
    // The time on the monotonic clock is what Type=notify-reload asks for; others pass over it.
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void service_manager::status(std::string_view line) const {
    std::string message = "STATUS=";
    for (const char c : line)
        message.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
    send(message);
}

void service_manager::send(std::string_view message) const {
    if (!socket_) return;
    // A service manager that is gone or busy is no reason to stop or to wait.
    [[maybe_unused]] const auto sent =
        ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace livelogd::app
