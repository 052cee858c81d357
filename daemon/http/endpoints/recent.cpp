// SPDX-License-Identifier: MIT
// GET /api/v1/logs/recent: filters, lines (1 to 100000, default 100), before=ID, after=ID, ids, format (json
// or ndjson), elide (bytes), scan_ms. GET /api/v1/logs/records/ID: one record: ids, elide.
#include "daemon/http/query_call.hpp"

namespace livelogd::http {
namespace {

constexpr std::uint64_t max_lines = 100000;
constexpr std::uint64_t least_elide = 16;
constexpr std::uint64_t max_elide = 16u << 20;

query::record_form form_of(const parameters& given) {
    query::record_form form;
    form.ids = given.truth("ids").value_or(false);
    if (const auto bytes = given.whole_number("elide", least_elide, max_elide))
        form.elide = static_cast<std::size_t>(*bytes);
    return form;
}

protocol::record_id id_in(std::string_view path) {
    const auto id = protocol::parse_record_id(path.substr(std::string_view(records_prefix).size()));
    if (!id) throw bad_request::in_parameter("id", "the id of a record is a whole number below 2^53");
    return *id;
}

/// Why there is no such record.
std::string absence(protocol::record_id id, const storage::log_snapshot& log) {
    const auto name = "record " + std::to_string(id);
    if (id >= log.next_id)
        return name + " is not given yet: the newest is " + std::to_string(log.next_id - 1);
    if (id < log.oldest_id())
        return name + " is not kept any more: the oldest is " + std::to_string(log.oldest_id());
    return name + " is not in the files: it was never given, or its line has been removed or damaged";
}

}  // namespace

endpoint recent_endpoint(const services& s) {
    return [s](const request& asked) -> net::awaitable<reply> {
        const parameters given(asked, {"lines", "before", "after", "ids", "format", "elide", "scan_ms"},
                               filter::filter_parameters());
        query::history_request wanted;
        wanted.lines = given.whole_number("lines", 1, max_lines).value_or(wanted.lines);
        wanted.before = id_parameter(given, "before");
        wanted.after = id_parameter(given, "after");
        wanted.form = form_of(given);
        if (wants_ndjson(given)) wanted.format = query::answer_format::ndjson;
        wanted.scan_time = scan_time(given);
        wanted.filter = filter_of(given, s);
        const auto format = wanted.format;
        auto stop = std::make_shared<const scan_stop>(asked, s);
        auto begun = co_await begin_history(s, stop, std::move(wanted));
        co_return history_reply(s, std::move(stop), std::move(begun), format);
    };
}

endpoint record_endpoint(const services& s) {
    return [s](const request& asked) -> net::awaitable<reply> {
        const parameters given(asked, {"ids", "elide"});
        const auto id = id_in(asked.path);
        query::history_request wanted;
        wanted.lines = 1;
        wanted.before = id + 1;
        wanted.after = id > 0 ? id - 1 : 0;
        wanted.form = form_of(given);
        wanted.format = query::answer_format::bare;
        auto stop = std::make_shared<const scan_stop>(asked, s);
        auto begun = co_await begin_history(s, stop, std::move(wanted));
        if (!begun.answer->extent().first) co_return error_reply(404, absence(id, s.log.snapshot()), "id");
        co_return history_reply(s, std::move(stop), std::move(begun), query::answer_format::bare);
    };
}

}  // namespace livelogd::http
