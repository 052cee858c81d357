// SPDX-License-Identifier: MIT
// GET /api/v1/logs/requests: filters, state, lines (1 to 10000, default 100), before=ID, after=ID, format
// (json or ndjson), scan_ms.
#include "daemon/query/requests.hpp"
#include "daemon/http/query_call.hpp"

namespace livelogd::http {
namespace {

constexpr std::uint64_t max_rows = 10000;

}  // namespace

endpoint requests_endpoint(const services& s) {
    return [s](const request& asked) -> net::awaitable<reply> {
        const parameters given(asked, {"state", "lines", "before", "after", "format", "scan_ms"},
                               filter::filter_parameters());
        query::requests_request wanted;
        if (const auto states = given.choices("state", query::request_state_names()); !states.empty()) {
            wanted.states.reset();
            for (const auto place : states)
                wanted.states.set(place);
        }
        wanted.lines = given.whole_number("lines", 1, max_rows).value_or(wanted.lines);
        wanted.before = id_parameter(given, "before");
        wanted.after = id_parameter(given, "after");
        wanted.ndjson = wants_ndjson(given);
        wanted.scan_time = scan_time(given);
        wanted.filter = filter_of(given, s);
        require_api_calls(s);
        wanted.clock = {.now_us = base::now_us(),
                        .orphan_after_us = std::chrono::microseconds(s.orphan_after).count()};
        const bool ndjson = wanted.ndjson;
        auto pair = [wanted = std::move(wanted)](const storage::log_snapshot& snapshot,
                                                 const query::search_context& context) {
            return query::answer_requests(snapshot, wanted, context);
        };
        auto stop = std::make_shared<const scan_stop>(asked, s);
        auto rows = co_await from_log(s, std::move(stop), std::move(pair));
        reply answer;
        if (ndjson) answer.content_type = "application/x-ndjson";
        add_extent_headers(answer, rows.extent);
        answer.body = std::move(rows.text);
        co_return answer;
    };
}

}  // namespace livelogd::http
