// SPDX-License-Identifier: MIT
#include "daemon/http/parameters.hpp"

#include <algorithm>
#include <array>
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

std::string listed(std::span<const std::string_view> words, std::string_view separator) {
    std::string list;
    for (const auto word : words) {
        if (!list.empty()) list += separator;
        list += word;
    }
    return list;
}

std::size_t place_among(std::span<const std::string_view> words, std::string_view name,
                        std::string_view value) {
    const auto found = std::ranges::find(words, value);
    if (found == words.end()) {
        throw bad_request::in_parameter(
            name, std::string(name) + " must be " + listed(words, " or ") + ", not " + quoted(value));
    }
    return static_cast<std::size_t>(found - words.begin());
}

}  // namespace

parameters::parameters(const request& from, std::initializer_list<std::string_view> known,
                       std::span<const std::string_view> shared)
    : given_(from.parameters) {
    for (const auto& [name, value] : given_) {
        if (std::ranges::find(known, name) != known.end()) continue;
        if (std::ranges::find(shared, name) != shared.end()) continue;
        auto names = std::vector<std::string_view>(known);
        names.insert(names.end(), shared.begin(), shared.end());
        const auto list = listed(names, ", ");
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

std::optional<bool> parameters::truth(std::string_view name) const {
    static constexpr std::array<std::string_view, 2> words{"false", "true"};
    const auto place = choice(name, words);
    return place ? std::optional(*place == 1) : std::nullopt;
}

std::optional<std::size_t> parameters::choice(std::string_view name,
                                              std::span<const std::string_view> words) const {
    const auto text = one(name);
    return text ? std::optional(place_among(words, name, *text)) : std::nullopt;
}

std::vector<std::size_t> parameters::choices(std::string_view name,
                                             std::span<const std::string_view> words) const {
    std::vector<std::size_t> places;
    for (const std::string& value : all(name))
        places.push_back(place_among(words, name, value));
    return places;
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
