// SPDX-License-Identifier: MIT
// One row of `requests`: a request and its response, or one of the two.
#pragma once

#include "daemon/filter/record_filter.hpp"
#include "protocol/record_id.hpp"
#include "protocol/scan.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace livelogd::query {

enum class request_state : std::uint8_t { ok, failed, in_flight, orphaned, no_request, unpaired };

/// Their names, in this order.
std::span<const std::string_view> request_state_names();

/// One of the two records. The views must live as long as it is used.
struct request_side {
    protocol::record_id id = 0;
    std::optional<std::int64_t> time;  ///< microseconds since 1970
    filter::record_view view;
    protocol::record_fields fields;
};

struct request_clock {
    std::int64_t now_us = 0;
    std::int64_t orphan_after_us = 0;
};

/// `request`, `response`: null where there is none; at least one is there.
request_state state_of(const request_side* request, const request_side* response, const request_clock& clock);

/// The row as a JSON object. `state`: what state_of says.
std::string row_text(const request_side* request, const request_side* response, request_state state,
                     const request_clock& clock);

}  // namespace livelogd::query
