// SPDX-License-Identifier: MIT
// Sockets that are bound and listening.
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "daemon/net/listen_address.hpp"

#include <sys/types.h>

#include <optional>
#include <string>

namespace livelogd::net {

/// Who may connect to a Unix socket.
struct socket_access {
    mode_t mode = 0660;
    std::optional<gid_t> group;  ///< none: the daemon's own
};

/// A listening socket and what has to be put away with it. Movable; the destructor removes a Unix socket's
/// file if it was made here and is still the same.
class listen_socket {
  public:
    /// Binds and listens. Throws listen_error. A Unix socket's file that no living program listens on is
    /// replaced; one that is in use, or a file that is no socket, is left alone and refused. A lock file
    /// (`<path>.lock`) keeps two daemons from doing so at the same time.
    static listen_socket open(const listen_address& address, const socket_access& access = {});

    /// Takes over a socket that somebody else has bound, and listens on if need be; its address is asked from
    /// the system, and the file of a Unix socket is left where it is. Throws listen_error if it is no stream
    /// socket of a family that is known here.
    static listen_socket adopt(base::unique_fd fd);

    listen_socket(listen_socket&&) noexcept = default;
    listen_socket& operator=(listen_socket&&) = delete;
    ~listen_socket();

    [[nodiscard]] int fd() const { return fd_.get(); }

    /// From now on connecting is refused. The file and its lock stay until the end, so that nobody else takes
    /// the place.
    void close() { fd_.reset(); }

    /// The address with the port that the system picked, if it was asked to.
    [[nodiscard]] const listen_address& address() const { return address_; }
    /// AF_INET, AF_INET6 or AF_UNIX.
    [[nodiscard]] int family() const;

  private:
    listen_socket() = default;
    void open_tcp();
    void open_unix(const socket_access& access);

    listen_address address_;
    base::unique_fd fd_;
    base::unique_fd lock_;
    ino_t inode_ = 0;  ///< of the socket's file
};

}  // namespace livelogd::net
