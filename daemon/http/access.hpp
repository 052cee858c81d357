// SPDX-License-Identifier: MIT
// Who may ask, as far as a browser tells: the defence against web pages that reach for a local server.
#pragma once

#include "daemon/http/auth/proxies.hpp"
#include "daemon/http/refusal.hpp"
#include "daemon/http/request.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::http {

/// Who asks is not let in.
class access_denied : public bad_request {
  public:
    access_denied(refusal why, unsigned status, const std::string& sentence)
        : bad_request(status, sentence), why_(why) {}
    [[nodiscard]] refusal why() const { return why_; }

  private:
    refusal why_;
};

/// Immutable once shared.
struct access_rules {
    std::vector<std::string> allowed_hosts;         ///< host names beside the loopback ones, without port
    std::vector<std::string> cors_allowed_origins;  ///< exact origins, or "*"
    trusted_proxies proxies = {};                   ///< whose word about their clients counts

    /// Throws access_denied (403) unless the request names an allowed host (against DNS rebinding), and comes
    /// neither from a page of another site, unless that is a navigation to the viewer, nor from an origin
    /// that is not allowed.
    void check(const request& asked) const;

    /// Throws access_denied (403) unless a form was sent by a page of this daemon's own, or by no browser at
    /// all. After check().
    void check_form(const request& asked) const;

    /// The value of Access-Control-Allow-Origin for this request, if it gets one.
    [[nodiscard]] std::optional<std::string> cors_origin(const request& asked) const;

  private:
    [[nodiscard]] bool host_is_allowed(std::string_view host) const;
    [[nodiscard]] bool origin_is_allowed(std::string_view origin) const;
};

/// The host of `host[:port]` or `[address]:port`, in lower case, without brackets and a final dot; empty if
/// it is neither.
std::string host_name(std::string_view authority);

}  // namespace livelogd::http
