// SPDX-License-Identifier: MIT
// GET /api/v1/logs/stats: filters, hours (0 < hours <= 87600, default 24), response_times (0 to 100000,
// default 1000), buckets (1 to 1000), facets (field names, separated by commas).
#include "daemon/query/stats.hpp"
#include "daemon/http/query_call.hpp"

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace livelogd::http {
namespace {

constexpr double max_hours = 87600;
constexpr std::uint64_t max_response_times = 100000;
constexpr std::uint64_t max_buckets = 1000;
constexpr std::size_t max_facets = 16;

std::vector<std::string> facets_of(const parameters& given) {
    std::vector<std::string> fields;
    const auto list = given.one("facets");
    if (!list) return fields;
    for (std::size_t begin = 0; begin <= list->size();) {
        const auto end = std::min(list->find(',', begin), list->size());
        const auto field = list->substr(begin, end - begin);
        if (!filter::is_field_name(field)) {
            throw bad_request::in_parameter(
                "facets", "facets must be field names (letters, digits, _, . and -), separated by commas");
        }
        if (std::ranges::find(fields, field) == fields.end()) fields.emplace_back(field);
        begin = end + 1;
    }
    if (fields.size() > max_facets) {
        throw bad_request::in_parameter("facets",
                                        "facets may name at most " + std::to_string(max_facets) + " fields");
    }
    return fields;
}

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

/// Summaries, and whichever other worker threads are idle.
query::stats_help help_of(const services& s) {
    query::stats_help help{.summaries = s.summaries, .hands = {}};
    help.hands.count = s.scan_threads - 1;
    help.hands.ask = [&workers = s.streams.workers](std::function<void()> work) {
        net::asio::post(workers, std::move(work));
    };
    return help;
}

}  // namespace

endpoint stats_endpoint(const services& s) {
    return [s](const request& asked) -> net::awaitable<reply> {
        const parameters given(asked, {"hours", "response_times", "buckets", "facets"},
                               filter::filter_parameters());
        query::stats_request wanted;
        wanted.hours = given.positive_number("hours", max_hours).value_or(wanted.hours);
        wanted.response_times =
            given.whole_number("response_times", 0, max_response_times).value_or(wanted.response_times);
        wanted.buckets = given.whole_number("buckets", 1, max_buckets).value_or(0);
        wanted.facets = facets_of(given);
        wanted.filter = filter_of(given, s);
        require_api_calls(s);
        wanted.now_us = base::now_us();
        wanted.daemon = accounting_text(s.ingested.now());
        wanted.orphan_after_us = std::chrono::microseconds(s.orphan_after).count();
        auto scan = [wanted = std::move(wanted), help = help_of(s)](
                        const storage::log_snapshot& snapshot, const query::search_context& context) mutable {
            wanted.strict = context.strict;
            return query::stats_answer(snapshot, wanted, context.zone, context.stop, help);
        };
        auto stop = std::make_shared<const scan_stop>(asked, s);
        auto text = co_await from_log(s, std::move(stop), std::move(scan));
        co_return reply{.body = std::move(text)};
    };
}

}  // namespace livelogd::http
