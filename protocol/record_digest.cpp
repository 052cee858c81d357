// SPDX-License-Identifier: MIT
#include "protocol/record_digest.hpp"

#include <cstddef>
#include <limits>

namespace livelogd::protocol {
namespace {

bool is_error(level severity, const record_fields& fields) {
    if (severity >= level::error) return true;
    const auto status = number_value(fields.status_code);
    return status && *status >= 400;
}

}  // namespace

record_digest record_digest::of(std::string_view line, const record_fields& fields) {
    record_digest digest;
    digest.severity = level_of(fields.level);
    digest.error = is_error(digest.severity, fields);
    if (fields.type.is_string()) {
        const std::string_view characters = fields.type.inner();
        const auto at = static_cast<std::size_t>(characters.data() - line.data());
        if (characters.size() > std::numeric_limits<std::uint16_t>::max()
            || at > std::numeric_limits<std::uint32_t>::max()
            || characters.find('\\') != std::string_view::npos) {
            digest.type_is_indirect = true;
        } else {
            digest.type_at = static_cast<std::uint32_t>(at);
            digest.type_size = static_cast<std::uint16_t>(characters.size());
        }
    }
    return digest;
}

bool is_error_record(const record_fields& fields) {
    return is_error(level_of(fields.level), fields);
}

}  // namespace livelogd::protocol
