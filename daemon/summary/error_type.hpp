// SPDX-License-Identifier: MIT
// What kind of error a record tells of.
#pragma once

#include "protocol/scan.hpp"

#include <string>

namespace livelogd::summary {

/// `error_type`, else `exception.type` or `error.type`, else that of the response body, else `HTTP
/// <status_code>`, else `unknown`: every error gets a type, so that counts of types add up to the number of
/// errors. Only strings that are not empty count, and only a numeric status_code.
std::string error_type_of(const protocol::record_fields& fields);

}  // namespace livelogd::summary
