// SPDX-License-Identifier: MIT
// GET /api/v1/logs/stats: hours (0 < hours <= 87600, default 24), response_times (0 to 100000, default 1000),
// and the filter.
#include "daemon/query/stats.hpp"
#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"
#include "daemon/query/log_changed.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace livelogd::http {
namespace {

constexpr double max_hours = 87600;
constexpr std::uint64_t max_response_times = 100000;

std::string accounting_text(const ingest::accounting& sums) {
    return boost::json::serialize(
        boost::json::object{{"lines", sums.lines},
                            {"stored", sums.stored},
                            {"malformed", sums.malformed},
                            {"deduplicated", sums.deduplicated},
                            {"dropped_by_configuration", sums.dropped_by_configuration},
                            {"unfinished", sums.unfinished},
                            {"waiting", sums.waiting},
                            {"own_records", sums.own_records}});
}

}  // namespace

endpoint stats_endpoint(const services& s) {
    return [s](const request& asked) -> net::awaitable<reply> {
        const parameters given(asked, {"hours", "response_times"}, filter::filter_parameters());
        query::stats_request wanted;
        wanted.hours = given.positive_number("hours", max_hours).value_or(wanted.hours);
        wanted.response_times =
            given.whole_number("response_times", 0, max_response_times).value_or(wanted.response_times);
        wanted.filter = filter_of(given, s);
        require_api_calls(s);
        wanted.now_us = base::now_us();
        wanted.daemon = accounting_text(s.ingested.now());
        auto scan = [wanted = std::move(wanted), log = &s.log, zone = s.zone,
                     stopping = s.streams.stopping]() mutable {
            return query::from_steady_view(*log, [&](const storage::log_snapshot& snapshot, bool strict) {
                wanted.strict = strict;
                return query::stats_answer(snapshot, wanted, zone, stopping);
            });
        };
        auto text = co_await net::offload(s.streams.workers, std::move(scan));
        co_return reply{.body = std::move(text)};
    };
}

}  // namespace livelogd::http
