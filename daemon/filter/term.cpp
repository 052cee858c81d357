// SPDX-License-Identifier: MIT
#include "daemon/filter/term.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace livelogd::filter {
namespace {

/// By cost, then by key; each key once. The order by key makes what is asked in another order the same.
template <typename Part>
void put_in_order(std::vector<Part>& parts) {
    std::vector<std::pair<std::string, Part>> keyed;
    keyed.reserve(parts.size());
    for (Part& part : parts) {
        std::string key(part.key());
        keyed.emplace_back(std::move(key), std::move(part));
    }
    std::ranges::sort(keyed, [](const auto& a, const auto& b) {
        return std::pair(a.second.cost(), std::string_view(a.first))
               < std::pair(b.second.cost(), std::string_view(b.first));
    });
    const auto twice =
        std::ranges::unique(keyed, [](const auto& a, const auto& b) { return a.first == b.first; });
    keyed.erase(twice.begin(), twice.end());
    parts.clear();
    for (auto& [key, part] : keyed)
        parts.push_back(std::move(part));
}

template <typename Part>
std::string joined_keys(const std::vector<Part>& parts, std::string_view between) {
    std::string all;
    for (const Part& part : parts) {
        if (!all.empty()) all += between;
        all += part.key();
    }
    return all;
}

}  // namespace

term::term(std::vector<condition> conditions, bool negated)
    : conditions_(std::move(conditions)), negated_(negated) {
    put_in_order(conditions_);
    // What holds always makes the others idle, and costs least.
    const auto always = std::ranges::find_if(conditions_, &condition::holds_always);
    if (always != conditions_.end()) conditions_ = std::vector<condition>{*always};
}

bool term::holds(records_as_one records) const {
    const bool one_holds = std::ranges::any_of(conditions_, [&](const condition& c) {
        return std::ranges::any_of(records, [&](record_facts* record) { return c.holds(*record); });
    });
    return one_holds != negated_;
}

bool term::holds_always() const {
    return !negated_ && conditions_.front().holds_always();
}

bool term::needs_line() const {
    return std::ranges::any_of(conditions_, &condition::needs_line);
}

bool term::asks_for_errors() const {
    return !negated_ && std::ranges::all_of(conditions_, &condition::asks_for_errors);
}

text_traces term::traces() const {
    if (negated_) return {};
    text_traces all = conditions_.front().traces();
    for (std::size_t i = 1; i < conditions_.size(); ++i)
        all.or_else(conditions_[i].traces());
    return all;
}

std::string term::key() const {
    return (negated_ ? "-(" : "(") + joined_keys(conditions_, "|") + ")";
}

conjunction::conjunction(std::vector<term> terms) : terms_(std::move(terms)) {
    std::erase_if(terms_, [](const term& t) { return t.holds_always(); });
    put_in_order(terms_);
}

bool conjunction::holds(records_as_one records) const {
    return std::ranges::all_of(terms_, [&](const term& t) { return t.holds(records); });
}

bool conjunction::needs_line() const {
    return std::ranges::any_of(terms_, &term::needs_line);
}

bool conjunction::asks_for_errors() const {
    return std::ranges::any_of(terms_, &term::asks_for_errors);
}

text_traces conjunction::traces() const {
    text_traces most;
    for (const term& t : terms_) {
        text_traces own = t.traces();
        if (own.say_more_than(most)) most = std::move(own);
    }
    return most;
}

std::string conjunction::key() const {
    return joined_keys(terms_, " ");
}

}  // namespace livelogd::filter
