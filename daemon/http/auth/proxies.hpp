// SPDX-License-Identifier: MIT
// Who asks, if what asks is a proxy.
#pragma once

#include "daemon/http/request.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::http {

/// The proxies whose word about their clients counts. Immutable once shared.
class trusted_proxies {
  public:
    /// None.
    trusted_proxies() = default;

    /// `loopback`, `unix`, an address, or a network (`10.0.0.0/8`). Throws std::invalid_argument with what
    /// would be right.
    explicit trusted_proxies(const std::vector<std::string>& words);

    /// The address that a request comes from: the peer's own, or behind trusted proxies the last one in
    /// X-Forwarded-For that is none of them. "unix" for a peer without address.
    [[nodiscard]] std::string client_of(const request& asked) const;

    /// A trusted proxy says (X-Forwarded-Proto) that its client uses TLS.
    [[nodiscard]] bool says_tls(const request& asked) const;

  private:
    using address = std::array<unsigned char, 16>;  ///< IPv4 addresses mapped into IPv6
    struct network {
        address first{};
        unsigned bits = 0;
    };
    static bool read_address(std::string_view text, address& into);
    [[nodiscard]] bool trusts(std::string_view peer) const;
    [[nodiscard]] bool trusts_peer_of(const request& asked) const;

    bool unix_ = false;
    std::vector<network> networks_;
};

}  // namespace livelogd::http
