// SPDX-License-Identifier: MIT
// Request heads from bytes. Sans-io: the only place that parses HTTP, strict where the library is lenient.
#pragma once

#include "daemon/http/request.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace livelogd::http {

struct parsed_head {
    request head;
    std::size_t size = 0;  ///< bytes of the input that belong to it
};

/// Reads one request head from the beginning of `bytes`. Nothing if it has not ended yet. Throws bad_request
/// for one that must be refused (the connection cannot be used afterwards): 400; 414 or 431 when longer than
/// `limit` bytes.
///
/// Beyond what Beast refuses: a missing or repeated Host, any Transfer-Encoding but `chunked`, a
/// Content-Length that is repeated or no plain number, header lines folded over several lines, bytes above
/// 127 in the target, and a body on GET, HEAD or OPTIONS. Each is a way to make a proxy and this daemon see
/// different requests.
std::optional<parsed_head> parse_request_head(std::string_view bytes, std::size_t limit);

/// The fields of a form (application/x-www-form-urlencoded). Throws bad_request (400).
parameter_list parse_form(std::string_view body);

/// Splits a request target into path and parameters and decodes both. Throws bad_request (400).
void parse_target(std::string_view target, request& into);

}  // namespace livelogd::http
