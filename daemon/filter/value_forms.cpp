// SPDX-License-Identifier: MIT
#include "daemon/filter/value_forms.hpp"

#include "protocol/json_token.hpp"

#include <algorithm>
#include <cstddef>

namespace livelogd::filter {
namespace {

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

double value_of_digits(std::string_view digits) {
    return *protocol::number_value({.kind = protocol::json_kind::number, .text = digits});
}

}  // namespace

std::optional<protocol::level> read_level(std::string_view text) {
    if (const auto named = protocol::parse_level(text)) return named;
    if (!is_digits(text) || text.find_first_not_of('0') == std::string_view::npos) return std::nullopt;
    return protocol::level_of({.kind = protocol::json_kind::number, .text = text});
}

std::optional<status_in> read_status(std::string_view text) {
    constexpr std::size_t most_digits = 9;
    const auto is_status = [](std::string_view part) {
        return is_digits(part) && part.size() <= most_digits;
    };
    if (is_status(text)) {
        const double status = value_of_digits(text);
        return status_in{.lowest = status, .highest = status};
    }
    const std::string_view others = text.substr(std::min<std::size_t>(1, text.size()));
    if ((others == "xx" || others == "XX") && text.front() >= '1' && text.front() <= '9') {
        const double hundreds = 100.0 * (text.front() - '0');
        return status_in{.lowest = hundreds, .highest = hundreds + 100, .without_highest = true};
    }
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const std::string_view from = text.substr(0, dash);
    const std::string_view to = text.substr(dash + 1);
    if (!is_status(from) || !is_status(to)) return std::nullopt;
    return status_in{.lowest = value_of_digits(from), .highest = value_of_digits(to)};
}

}  // namespace livelogd::filter
