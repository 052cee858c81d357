// SPDX-License-Identifier: MIT
// Who is let in: the rules of access and the token put together.
#pragma once

#include "daemon/http/access.hpp"
#include "daemon/http/auth/authenticator.hpp"
#include "daemon/http/reply.hpp"
#include "daemon/http/request.hpp"
#include "daemon/http/router.hpp"

#include <optional>
#include <string>

namespace livelogd::http {

/// What a request is answered with if it is not let in, counted; nothing if it is. Fills in what `asked` says
/// that admission finds out. `who`: null if nobody is asked for a token.
///
/// Without a token a browser that opens a page is sent to the sign-in; everybody else gets 401, or 429 after
/// too many wrong tokens. Let in without one are /healthz, the sign-in, and what a browser asks before it
/// lets a page of an allowed origin ask (OPTIONS with Access-Control-Request-Method, which never carries
/// one).
std::optional<reply> turn_away(request& asked, const access_rules& rules, const router& routes,
                               authenticator* who);

/// The address of the sign-in as seen from the request's own address, which a proxy may have put under a path
/// of its own. It tells where to go on after signing in, unless that is the viewer.
std::string way_to_sign_in(const request& asked);

/// Where to go on after signing in, as seen from the sign-in's address. `next`, which comes from the address
/// bar and thus from anybody, counts only if it is one of the daemon's own addresses; else it is the viewer.
/// The result is a relative reference that begins with "../": no other host can come of it.
std::string way_back(std::string_view next);

}  // namespace livelogd::http
