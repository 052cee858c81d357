// SPDX-License-Identifier: MIT
#include "daemon/filter/record_filter.hpp"

#include "daemon/filter/parameter_terms.hpp"
#include "daemon/filter/query_parser.hpp"
#include "daemon/filter/query_terms.hpp"
#include "daemon/filter/time_bound.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace livelogd::filter {
namespace {

void require_utf8(const filter_words& words) {
    for (const std::string_view name : filter_parameters())
        for (const std::string& value : values_of(words, name))
            if (protocol::valid_utf8_prefix(value) != value.size())
                throw filter_error(name, std::string(name) + " is not UTF-8");
}

/// The instants that a parameter names.
std::vector<std::int64_t> instants(std::string_view parameter, const std::vector<std::string>& values,
                                   std::int64_t now_us, const base::time_zone& zone) {
    std::vector<std::int64_t> all;
    for (const std::string& value : values) {
        const auto bound = parse_time_bound(value);
        if (!bound) throw filter_error(parameter, must_be(parameter, time_bound_forms, value));
        all.push_back(instant_of(*bound, now_us, zone));
    }
    return all;
}

time_window window_of(const filter_words& words, std::int64_t now_us, const base::time_zone& zone) {
    const auto begins = instants("since", words.since, now_us, zone);
    const auto ends = instants("until", words.until, now_us, zone);
    time_window window;
    if (!begins.empty()) window.begin_us = std::ranges::min(begins);
    if (!ends.empty()) window.end_us = std::ranges::max(ends);
    return window;
}

}  // namespace

struct record_filter::state {
    conjunction terms;                ///< all must hold
    std::vector<conjunction> either;  ///< and one of these, if there are any: q given several times
    time_window window;
    bool api_calls = false;
    bool needs_line = false;
    bool asks_for_errors = false;
    line_sieve sieve;
    std::string key;

    [[nodiscard]] bool holds(records_as_one records) const {
        return terms.holds(records)
               && (either.empty()
                   || std::ranges::any_of(either, [&](const conjunction& c) { return c.holds(records); }));
    }

    void add_either(std::vector<conjunction> expressions) {
        if (std::ranges::any_of(expressions, &conjunction::holds_always)) return;
        std::ranges::sort(expressions, {}, &conjunction::key);
        const auto twice = std::ranges::unique(expressions, {}, &conjunction::key);
        expressions.erase(twice.begin(), twice.end());
        either = std::move(expressions);
    }

    [[nodiscard]] text_traces traces() const {
        text_traces of_terms = terms.traces();
        if (either.empty()) return of_terms;
        text_traces of_either = either.front().traces();
        for (std::size_t i = 1; i < either.size(); ++i)
            of_either.or_else(either[i].traces());
        return of_either.say_more_than(of_terms) ? of_either : of_terms;
    }

    void finish() {
        needs_line = terms.needs_line() || std::ranges::any_of(either, &conjunction::needs_line);
        asks_for_errors = terms.asks_for_errors()
                          || (!either.empty() && std::ranges::all_of(either, &conjunction::asks_for_errors));
        sieve = line_sieve(traces());
        key = terms.key();
        for (const conjunction& expression : either)
            key += " {" + expression.key() + "}";
        if (window.limited())
            key += " [" + std::to_string(window.begin_us) + "," + std::to_string(window.end_us) + ")";
    }
};

std::shared_ptr<const record_filter::state> record_filter::compile(const filter_words& words,
                                                                   std::int64_t now_us,
                                                                   const base::time_zone& zone) {
    require_utf8(words);
    auto compiled = std::make_shared<state>();
    compiled->api_calls =
        std::ranges::any_of(words.type, [](const std::string& type) { return names_api_calls(type); });
    compiled->window = window_of(words, now_us, zone);
    std::vector<term> terms = terms_of_parameters(words);
    std::vector<conjunction> expressions;
    for (const std::string& text : words.q) {
        const syntax::query query = parse_query(text);
        compiled->api_calls = compiled->api_calls || names_api_calls(query);
        auto read = terms_of_query(query);
        if (words.q.size() == 1) {
            std::ranges::move(read, std::back_inserter(terms));
        } else {
            expressions.emplace_back(std::move(read));
        }
    }
    compiled->terms = conjunction(std::move(terms));
    compiled->add_either(std::move(expressions));
    compiled->finish();
    return compiled;
}

record_filter::record_filter() {
    static const auto everything = std::make_shared<const state>();
    state_ = everything;
}

record_filter::record_filter(const filter_words& words, std::int64_t now_us, const base::time_zone& zone)
    : state_(compile(words, now_us, zone)) {}

bool record_filter::passes_everything() const {
    return asks_only_times() && !state_->window.limited();
}

bool record_filter::asks_only_times() const {
    return state_->terms.holds_always() && state_->either.empty();
}

bool record_filter::asks_for_api_calls() const {
    return state_->api_calls;
}

bool record_filter::asks_for_errors() const {
    return state_->asks_for_errors;
}

bool record_filter::needs_line() const {
    return state_->needs_line;
}

const time_window& record_filter::window() const {
    return state_->window;
}

const line_sieve& record_filter::sieve() const {
    return state_->sieve;
}

const std::string& record_filter::key() const {
    return state_->key;
}

bool record_filter::matches(const record_view& record) const {
    record_facts facts(record);
    const std::array<record_facts*, 1> one{&facts};
    return state_->holds(one);
}

bool record_filter::matches_pair(const record_view& a, const record_view& b) const {
    record_facts first(a);
    record_facts second(b);
    const std::array<record_facts*, 2> two{&first, &second};
    return state_->holds(two);
}

}  // namespace livelogd::filter
