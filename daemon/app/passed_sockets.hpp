// SPDX-License-Identifier: MIT
// Sockets that a service manager has bound and passes on (systemd's socket activation).
#pragma once

#include "daemon/app/environment.hpp"
#include "daemon/net/listen_socket.hpp"

#include <optional>
#include <vector>

namespace livelogd::app {

/// What has been passed, by the names of the socket units (FileDescriptorName=): their order is not stable.
/// They stay with the service manager, so that what is sent while the daemon restarts waits in them.
struct passed_sockets {
    std::optional<net::listen_socket> ingest;  ///< named `ingest`
    std::vector<net::listen_socket> http;      ///< named `http`, any number
};

/// Takes the descriptors over that LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES tell of (the protocol of
/// sd_listen_fds(3)); none if they are meant for another process. `first` is the first of them, 3 but in
/// tests. Throws configuration_error for a name that is not known, net::listen_error for what is no socket to
/// listen on. Once: a second call would take the same ones.
passed_sockets take_passed_sockets(environment variables, int first = 3);

}  // namespace livelogd::app
