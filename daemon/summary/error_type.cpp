// SPDX-License-Identifier: MIT
#include "daemon/summary/error_type.hpp"

namespace livelogd::summary {

std::string error_type_of(const protocol::record_fields& fields) {
    for (const auto* told :
         {&fields.error_type, &fields.exception_type, &fields.error_dot_type, &fields.response_error_type}) {
        if (told->is_string() && !told->inner().empty()) return protocol::decode_string(*told);
    }
    if (fields.status_code.is_number()) return "HTTP " + std::string(fields.status_code.text);
    return "unknown";
}

}  // namespace livelogd::summary
