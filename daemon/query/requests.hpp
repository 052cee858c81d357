// SPDX-License-Identifier: MIT
// `requests`: requests paired with their responses, the newest first.
#pragma once

#include "daemon/query/history.hpp"
#include "daemon/query/request_row.hpp"

#include <bitset>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace livelogd::query {

struct requests_request {
    filter::record_filter filter = {};
    std::bitset<6> states = std::bitset<6>().set();  ///< by request_state: rows that are wanted
    std::size_t lines = 100;
    std::optional<protocol::record_id> before = {};
    std::optional<protocol::record_id> after = {};
    bool ndjson = false;
    std::optional<std::chrono::milliseconds> scan_time = {};
    request_clock clock = {};
};

struct requests_answer {
    std::string text;
    history_extent extent;  ///< `first`: of the first row, which has the largest id
};

/// Reads the log from its end: by the time it meets a request it has seen every response that may be its. A
/// response belongs to the nearest earlier request of its request_id that has none; seen from the end, a
/// request has the nearest later response that is still free: the same pairs, as of brackets. Blocks on the
/// disk. Throws summary::stopped, query::log_changed or std::system_error.
requests_answer answer_requests(const storage::log_snapshot& snapshot, const requests_request& request,
                                const search_context& context);

}  // namespace livelogd::query
