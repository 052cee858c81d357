// SPDX-License-Identifier: MIT
#include "daemon/filter/filter_words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>

namespace livelogd::filter {
namespace {

constexpr std::array<std::string_view, 11> names{
    "type", "level", "endpoint", "method", "request_id", "model", "status", "search", "since", "until", "q"};

constexpr std::array<std::vector<std::string> filter_words::*, names.size()> members{
    &filter_words::type,       &filter_words::level, &filter_words::endpoint, &filter_words::method,
    &filter_words::request_id, &filter_words::model, &filter_words::status,   &filter_words::search,
    &filter_words::since,      &filter_words::until, &filter_words::q};

std::vector<std::string> filter_words::* member_named(std::string_view name) {
    const auto* const found = std::ranges::find(names, name);
    if (found == names.end()) throw std::out_of_range("no parameter of a filter: " + std::string(name));
    return members[static_cast<std::size_t>(found - names.begin())];
}

}  // namespace

std::span<const std::string_view> filter_parameters() {
    return names;
}

std::vector<std::string>& values_of(filter_words& words, std::string_view name) {
    return words.*member_named(name);
}

const std::vector<std::string>& values_of(const filter_words& words, std::string_view name) {
    return words.*member_named(name);
}

}  // namespace livelogd::filter
