// SPDX-License-Identifier: MIT
#include "protocol/record_digest.hpp"

#include "protocol/json_grammar.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace livelogd::protocol {
namespace {

bool is_error(level severity, const digest_fields& fields) {
    if (severity >= level::error) return true;
    const json_token& status = fields.status_code;
    if (!status.is_number()) return false;
    // Nearly all have three digits.
    if (status.text.size() == 3 && std::all_of(status.text.begin(), status.text.end(), is_digit))
        return status.text.front() >= '4';
    return *number_value(status) >= 400;
}

}  // namespace

record_digest record_digest::of(std::string_view line, const digest_fields& fields) {
    // Put together at the end, from registers: to read at once what has just been written byte by byte
    // stalls.
    std::uint32_t type_at = 0;
    std::uint16_t type_size = 0;
    bool type_is_indirect = false;
    if (fields.type.is_string()) {
        const std::string_view characters = fields.type.inner();
        const auto at = static_cast<std::size_t>(characters.data() - line.data());
        type_is_indirect = characters.size() > std::numeric_limits<std::uint16_t>::max()
                           || at > std::numeric_limits<std::uint32_t>::max()
                           || characters.find('\\') != std::string_view::npos;
        if (!type_is_indirect) {
            type_at = static_cast<std::uint32_t>(at);
            type_size = static_cast<std::uint16_t>(characters.size());
        }
    }
    const level severity = level_of(fields.level);
    return {.type_at = type_at,
            .type_size = type_size,
            .severity = severity,
            .error = is_error(severity, fields),
            .type_is_indirect = type_is_indirect};
}

bool is_error_record(const digest_fields& fields) {
    return is_error(level_of(fields.level), fields);
}

}  // namespace livelogd::protocol
