// SPDX-License-Identifier: MIT
// Which keys of a record name its known fields, and where their values stand. A part of scan_record().
#pragma once

#include "protocol/json_token.hpp"
#include "protocol/scan.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace livelogd::protocol {

/// The places where a known field may stand. The ones that `record_fields` joins are kept apart.
enum class slot : std::uint8_t {
    timestamp,
    level,
    type,
    request_id,
    method,
    endpoint,
    status_code,
    duration_ms,
    error_type,
    exception_type_flat,
    exception_type_nested,
    error_dot_type_flat,
    error_dot_type_nested,
    response_error_type,
    none,
};

inline slot top_level_slot(std::string_view key) {
    using enum slot;
    switch (key.size()) {
        case 4:
            return key == "type" ? type : none;
        case 5:
            return key == "level" ? level : none;
        case 6:
            return key == "method" ? method : none;
        case 8:
            return key == "endpoint" ? endpoint : none;
        case 9:
            return key == "timestamp" ? timestamp : none;
        case 10:
            if (key == "request_id") return request_id;
            if (key == "error_type") return error_type;
            return key == "error.type" ? error_dot_type_flat : none;
        case 11:
            if (key == "status_code") return status_code;
            return key == "duration_ms" ? duration_ms : none;
        case 14:
            return key == "exception.type" ? exception_type_flat : none;
        default:
            return none;
    }
}

/// The field looked for in the object that a top-level key holds, if it is one of the three that matter.
inline slot nested_slot(std::string_view key) {
    using enum slot;
    switch (key.size()) {
        case 5:
            return key == "error" ? error_dot_type_nested : none;
        case 9:
            return key == "exception" ? exception_type_nested : none;
        case 13:
            return key == "response_body" ? response_error_type : none;
        default:
            return none;
    }
}

inline std::string_view nested_key(slot nested) {
    return nested == slot::response_error_type ? "error_type" : "type";
}

/// Where the fields of one record stand, counted from its opening brace: it may move while it is written.
class found_fields {
  public:
    struct extent {
        std::size_t begin = 0;
        std::size_t size = 0;
        json_kind kind = json_kind::absent;
    };

    extent& operator[](slot field) { return places_[static_cast<std::size_t>(field)]; }
    const extent& operator[](slot field) const { return places_[static_cast<std::size_t>(field)]; }

    /// `bytes` were put in front of all that was found.
    void shift(std::size_t bytes) {
        for (extent& place : places_)
            place.begin += bytes;
    }

    /// `record`: from its opening brace.
    [[nodiscard]] record_fields in(const char* record) const {
        using enum slot;
        const auto token = [&](slot field) -> json_token {
            const extent& place = (*this)[field];
            if (place.kind == json_kind::absent) return {};
            return {.kind = place.kind, .text = std::string_view(record + place.begin, place.size)};
        };
        const auto first_of = [&](slot flat, slot nested) {
            return token((*this)[flat].kind != json_kind::absent ? flat : nested);
        };
        return {
            .timestamp = token(timestamp),
            .level = token(level),
            .type = token(type),
            .request_id = token(request_id),
            .method = token(method),
            .endpoint = token(endpoint),
            .status_code = token(status_code),
            .duration_ms = token(duration_ms),
            .error_type = token(error_type),
            .exception_type = first_of(exception_type_flat, exception_type_nested),
            .error_dot_type = first_of(error_dot_type_flat, error_dot_type_nested),
            .response_error_type = token(response_error_type),
        };
    }

  private:
    std::array<extent, static_cast<std::size_t>(slot::none)> places_{};
};

}  // namespace livelogd::protocol
