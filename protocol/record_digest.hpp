// SPDX-License-Identifier: MIT
// What is kept in memory of a record's fields, so that live filters need not read the record again.
#pragma once

#include "protocol/level.hpp"
#include "protocol/scan.hpp"

#include <cstdint>
#include <string_view>

namespace livelogd::protocol {

struct record_digest {
    std::uint32_t type_at = 0;    ///< where the characters of `type` stand in the line, after the quote
    std::uint16_t type_size = 0;  ///< their number; 0 where there is no plain string
    level severity = level::info;
    bool error = false;             ///< level ERROR or above, or status_code >= 400
    bool type_is_indirect = false;  ///< `type` is spelled with escapes or very long: read it from the line

    /// `fields` must have been read from `line`.
    static record_digest of(std::string_view line, const digest_fields& fields);

    /// The characters of `type`; only where !type_is_indirect.
    [[nodiscard]] std::string_view type_in(std::string_view line) const {
        return line.substr(type_at, type_size);
    }
};

/// What counts as an error record: level ERROR or above, or a numeric status_code >= 400.
bool is_error_record(const digest_fields& fields);

}  // namespace livelogd::protocol
