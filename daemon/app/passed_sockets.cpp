// SPDX-License-Identifier: MIT
#include "daemon/app/passed_sockets.hpp"

#include "daemon/app/configuration.hpp"
#include "daemon/app/exit_code.hpp"

#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

namespace livelogd::app {
namespace {

[[noreturn]] void refuse(const std::string& why) {
    throw configuration_error(
        bad_configuration,
        why + " (the socket units set FileDescriptorName= to ingest, one, or http, any number)");
}

/// The next of the names, which colons separate.
std::string_view next_name(std::string_view& names) {
    const auto colon = names.find(':');
    const auto name = names.substr(0, colon);
    names.remove_prefix(colon == std::string_view::npos ? names.size() : colon + 1);
    return name;
}

}  // namespace

passed_sockets take_passed_sockets(environment variables, int first) {
    passed_sockets taken;
    const auto count = number_in(variables, "LISTEN_FDS").value_or(0);
    if (count <= 0 || number_in(variables, "LISTEN_PID") != ::getpid()) return taken;
    const char* listed = variables("LISTEN_FDNAMES");
    std::string_view names = listed == nullptr ? std::string_view{} : listed;
    for (int i = 0; i < count; ++i) {
        base::unique_fd fd(first + i);
        const auto name = next_name(names);
        if (name == "http") {
            taken.http.push_back(net::listen_socket::adopt(std::move(fd)));
        } else if (name != "ingest") {
            refuse("a socket was passed on that is named '" + std::string(name) + "'");
        } else if (taken.ingest) {
            refuse("two sockets were passed on that are named 'ingest'");
        } else {
            taken.ingest.emplace(net::listen_socket::adopt(std::move(fd)));
        }
    }
    return taken;
}

}  // namespace livelogd::app
