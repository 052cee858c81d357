// SPDX-License-Identifier: MIT
#include "daemon/query/search_plan.hpp"

namespace livelogd::query {
namespace {

/// Up to so many error records of a page are read one by one, each for a call of the system; with more of
/// them the whole page is.
constexpr std::uint64_t most_read_alone = 16;

bool may_hold(const filter::record_filter& filter, const summary::time_range& times, std::uint64_t errors) {
    const filter::time_window& window = filter.window();
    if (window.limited() && times.misses(window.begin_us, window.end_us)) return false;
    return errors > 0 || !filter.asks_for_errors();
}

void add_page(std::vector<search_stretch>& plan, const summary::page& page) {
    search_stretch whole{
        .begin = page.begin, .end = page.end, .first_line = page.first_line, .lines = page.lines};
    if (!plan.empty() && !plan.back().first_only && plan.back().end == whole.begin) {
        plan.back().end = whole.end;
        plan.back().lines += whole.lines;
    } else {
        plan.push_back(whole);
    }
}

}  // namespace

bool can_plan(const filter::record_filter& filter) {
    return filter.asks_for_errors() || filter.window().limited();
}

std::vector<search_stretch> plan_of(const storage::segment_info& segment,
                                    const summary::segment_summary* known,
                                    const filter::record_filter& filter) {
    std::vector<search_stretch> plan;
    search_stretch rest{.begin = 0, .end = segment.bytes, .first_line = 0, .lines = unknown_lines};
    if (known != nullptr) {
        const bool nothing = !may_hold(filter, known->times(), known->errors());
        for (std::size_t number = 0; number < known->pages().size(); ++number) {
            // A summary of the segment that grows may already know more than the snapshot shows.
            const summary::page& page = known->pages()[number];
            if (page.end > segment.bytes) break;
            rest.begin = page.end;
            rest.first_line = page.first_line + page.lines;
            if (nothing || !may_hold(filter, page.times, page.errors)) continue;
            if (!filter.asks_for_errors() || page.errors > most_read_alone) {
                add_page(plan, page);
                continue;
            }
            for (const summary::error_place& place : known->errors_of(number))
                plan.push_back({.begin = place.offset,
                                .end = page.end,
                                .first_line = place.line,
                                .lines = 1,
                                .first_only = true});
        }
    }
    if (rest.begin < rest.end) plan.push_back(rest);
    return plan;
}

}  // namespace livelogd::query
