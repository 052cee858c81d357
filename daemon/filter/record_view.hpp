// SPDX-License-Identifier: MIT
// A record as a filter sees it.
#pragma once

#include "protocol/json_token.hpp"
#include "protocol/record_digest.hpp"

#include <string_view>

namespace livelogd::filter {

struct record_view {
    std::string_view line;           ///< as stored: valid, without white space between its parts, without LF
    protocol::record_digest digest;  ///< of this line

    /// The record as a value.
    [[nodiscard]] protocol::json_token object() const {
        return {.kind = protocol::json_kind::object, .text = line};
    }
};

}  // namespace livelogd::filter
