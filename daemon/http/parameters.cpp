// SPDX-License-Identifier: MIT
#include "daemon/http/parameters.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace livelogd::http {
namespace {

std::string quoted(std::string_view value) {
    std::size_t shown = std::min<std::size_t>(40, value.size());
    // Not within a character: the sentence is told in UTF-8.
    while (shown < value.size() && shown > 0 && (static_cast<unsigned char>(value[shown]) & 0xC0U) == 0x80U)
        --shown;
    return "'" + std::string(value.substr(0, shown)) + (shown < value.size() ? "…'" : "'");
}

}  // namespace

parameters::parameters(const request& from, std::initializer_list<std::string_view> known,
                       std::span<const std::string_view> also)
    : given_(from.parameters) {
    std::vector<std::string_view> all(known);
    all.insert(all.end(), also.begin(), also.end());
    for (const auto& [name, value] : given_) {
        if (std::ranges::find(all, name) != all.end()) continue;
        std::string list;
        for (const auto k : all)
            list += (list.empty() ? "" : ", ") + std::string(k);
        throw bad_request::in_parameter(
            name, "unknown parameter " + quoted(name) + " (here: " + (list.empty() ? "none" : list) + ")");
    }
}

std::vector<std::string> parameters::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [n, value] : given_) {
        if (n == name) values.push_back(value);
    }
    return values;
}

std::optional<std::string_view> parameters::one(std::string_view name) const {
    std::optional<std::string_view> found;
    for (const auto& [n, value] : given_) {
        if (n != name) continue;
        if (found) throw bad_request::in_parameter(name, std::string(name) + " is given twice");
        found = value;
    }
    return found;
}

std::optional<std::uint64_t> parameters::whole_number(std::string_view name, std::uint64_t least,
                                                      std::uint64_t most) const {
    const auto text = one(name);
    if (!text) return std::nullopt;
    std::uint64_t value = 0;
    const auto* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, value);
    if (text->empty() || error != std::errc{} || stop != end || value < least || value > most) {
        throw bad_request::in_parameter(name, std::string(name) + " must be a whole number from "
                                                  + std::to_string(least) + " to " + std::to_string(most)
                                                  + ", not " + quoted(*text));
    }
    return value;
}

std::optional<double> parameters::positive_number(std::string_view name, double most) const {
    const auto text = one(name);
    if (!text) return std::nullopt;
    double value = 0;
    const auto* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, value, std::chars_format::fixed);
    if (text->empty() || error != std::errc{} || stop != end || !std::isfinite(value) || value <= 0
        || value > most) {
        throw bad_request::in_parameter(name, std::string(name) + " must be a number above 0 and at most "
                                                  + std::to_string(static_cast<std::uint64_t>(most))
                                                  + ", not " + quoted(*text));
    }
    return value;
}

}  // namespace livelogd::http
