// SPDX-License-Identifier: MIT
#include "daemon/http/stream_filter.hpp"

#include "daemon/query/record_search.hpp"
#include "daemon/summary/record_clock.hpp"
#include "protocol/json_walk.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace livelogd::http {
namespace {

using ids = std::vector<protocol::record_id>;

template <class Fits>
ids ids_of(const live::event_batch& batch, Fits&& fits) {
    ids found;
    for (auto id = batch.first_id(); id < batch.end_id(); ++id) {
        if (batch.frame(id).empty()) continue;  // no record
        if (fits(id, filter::record_view{.line = batch.json(id), .digest = batch.digest(id)}))
            found.push_back(id);
    }
    return found;
}

std::optional<std::int64_t> time_of(protocol::record_id id, std::string_view line,
                                    const stream_sources& sources) {
    const auto timestamp = protocol::member_of(protocol::first_value(line), "timestamp");
    if (const auto told = summary::told_time(timestamp, sources.zone)) return told;
    // Its neighbours in the file tell it.
    return query::time_of_record(sources.log.snapshot(), id,
                                 {.lines = sources.lines, .zone = sources.zone, .stop = sources.stopping});
}

}  // namespace

live::batch_matches stream_filter::at_once(const live::shared_batch& batch) const {
    if (auto known = sources_.matches.find(key(), batch)) return known;
    if (filter_.needs_line() || filter_.window().limited()) return nullptr;
    auto found = std::make_shared<const ids>(ids_of(
        *batch,
        [this](protocol::record_id, const filter::record_view& view) { return filter_.matches(view); }));
    sources_.matches.keep(key(), batch, found);
    return found;
}

live::match_function stream_filter::function() const {
    return [filter = filter_, sources = sources_](const live::event_batch& batch) {
        return ids_of(batch, [&](protocol::record_id id, const filter::record_view& view) {
            if (filter.window().limited() && !filter.window().holds(time_of(id, view.line, sources)))
                return false;
            return filter.matches(view);
        });
    };
}

}  // namespace livelogd::http
