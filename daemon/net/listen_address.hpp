// SPDX-License-Identifier: MIT
// Where the daemon listens, as the operator writes it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace livelogd::net {

/// `127.0.0.1:5000`, `[::1]:5000`, `localhost:5000` (127.0.0.1), `0.0.0.0:80`, or `unix:/run/x.sock`.
struct listen_address {
    enum class family : std::uint8_t { ipv4, ipv6, local };
    family kind = family::ipv4;
    std::string host;        ///< a numeric address, without brackets; for a Unix socket its path
    std::uint16_t port = 0;  ///< 0: the system picks one

    /// Throws std::invalid_argument with a sentence that names what is wrong and what would be right.
    static listen_address parse(std::string_view text);

    /// As parse() reads it.
    [[nodiscard]] std::string text() const;

    /// Nobody but this machine can reach it.
    [[nodiscard]] bool is_loopback() const;
};

/// An address cannot be listened on: it is taken, or the system refuses it.
class listen_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Longest path of a Unix socket (sockaddr_un::sun_path less its terminating zero).
inline constexpr std::size_t max_unix_path = 107;

}  // namespace livelogd::net
