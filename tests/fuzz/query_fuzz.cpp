// SPDX-License-Identifier: MIT
// Any request target: it is refused in a sentence that can be answered, or read as a second decoder reads it,
// and so are the parameters in it.
#include "daemon/filter/record_filter.hpp"
#include "daemon/http/parameters.hpp"
#include "daemon/http/reply.hpp"
#include "daemon/http/request_parser.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/strict_json.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace {

using namespace livelogd;
using fuzz::require;

/// The bytes that a piece of a target stands for; nothing if it has a broken escape.
std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string bytes;
    while (!text.empty()) {
        char c = text.front();
        std::size_t used = 1;
        if (c == '%') {
            if (text.size() < 3) return std::nullopt;
            const auto high =
                digits.find(static_cast<char>(text[1] >= 'A' && text[1] <= 'F' ? text[1] | 0x20 : text[1]));
            const auto low =
                digits.find(static_cast<char>(text[2] >= 'A' && text[2] <= 'F' ? text[2] | 0x20 : text[2]));
            if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
            c = static_cast<char>(high << 4 | low);
            used = 3;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        bytes += c;
        text.remove_prefix(used);
    }
    return bytes;
}

/// What was read, written again with every byte escaped, is read the same.
std::string encoded(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    for (const char c : bytes) {
        const auto value = static_cast<unsigned char>(c);
        if (c == '/') {
            text += c;
        } else {
            text += {'%', digits[value >> 4U], digits[value & 15U]};
        }
    }
    return text;
}

/// A refusal is answered in JSON, whatever it quotes.
void check_refusal(const http::bad_request& refused) {
    require(refused.status() == 400, "a wrong address is a wrong request");
    const auto answer = http::error_reply(refused);
    const auto read = fuzz::strict_json::object(std::get<std::string>(answer.body), 2);
    require(read && !read->members.empty() && read->members[0].key == "error"
                && read->members[0].value.raw.size() > 2,
            "an error is told in JSON");
}

void check_target(std::string_view target, const http::request& read) {
    if (!target.starts_with('/')) return;
    target = target.substr(0, target.find('#'));
    const auto question = std::min(target.find('?'), target.size());
    require(decoded(target.substr(0, question), false) == read.path, "the path is decoded");
    std::size_t number = 0;
    std::string_view query = question < target.size() ? target.substr(question + 1) : std::string_view();
    while (!query.empty()) {
        const auto part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(part.size() + 1, query.size()));
        if (part.empty()) continue;
        require(number < read.parameters.size(), "no parameter is lost");
        const auto& [name, value] = read.parameters[number++];
        const auto equals = std::min(part.find('='), part.size());
        require(decoded(part.substr(0, equals), true) == name, "a name is decoded");
        require(decoded(part.substr(std::min(equals + 1, part.size())), true) == value, "a value is decoded");
    }
    require(number == read.parameters.size(), "no parameter is made up");
}

void check_round_trip(const http::request& read) {
    if (!read.path.starts_with('/')) return;
    std::string target = encoded(read.path);
    char separator = '?';
    for (const auto& [name, value] : read.parameters) {
        target += separator + encoded(name) + "=" + encoded(value);
        separator = '&';
    }
    http::request again;
    http::parse_target(target, again);
    require(again.path == read.path, "a path that was read can be written");
    require(again.parameters == read.parameters, "so can parameters");
}

std::string only(const http::request& asked, std::string_view name) {
    std::string text;
    for (const auto& [n, value] : asked.parameters) {
        if (n == name) text = value;
    }
    return text;
}

void read_parameters(const http::request& asked) {
    const http::parameters given(asked, {"lines", "hours", "after", "replay", "response_times"},
                                 filter::filter_parameters());
    const auto whole = [&](std::string_view name, std::uint64_t least, std::uint64_t most) {
        const auto value = given.whole_number(name, least, most);
        if (!value) return;
        require(*value >= least && *value <= most, "a number is in its range");
        std::string text = only(asked, name);
        require(text.find_first_not_of("0123456789") == std::string::npos, "a number has digits only");
        text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
        require(text == std::to_string(*value), "a number is what it says");
    };
    whole("lines", 1, 100000);
    whole("after", 0, std::uint64_t{1} << 53U);
    whole("replay", 0, 100000);
    whole("response_times", 0, 100000);
    if (const auto hours = given.positive_number("hours", 87600)) {
        require(*hours > 0 && *hours <= 87600, "hours are in their range");
        require(only(asked, "hours").find_first_not_of("0123456789.") == std::string::npos,
                "hours are plain decimal digits");
    }
    filter::filter_words words;
    for (const std::string_view name : filter::filter_parameters())
        filter::values_of(words, name) = given.all(name);
    try {
        static const auto zone = base::time_zone::named("Europe/Berlin");
        const filter::record_filter filter(words, 1'800'000'000'000'000, zone);
        require(filter.passes_everything() == (filter.key().empty()),
                "a filter that asks for something says what");
    } catch (const filter::filter_error& error) {
        check_refusal(http::bad_request::in_parameter(error.parameter(), error.what(), error.at()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string target(reinterpret_cast<const char*>(data), size);
    http::request asked;
    try {
        http::parse_target(target, asked);
    } catch (const http::bad_request& refused) {
        check_refusal(refused);
        return 0;
    }
    check_target(target, asked);
    check_round_trip(asked);
    try {
        read_parameters(asked);
    } catch (const http::bad_request& refused) {
        check_refusal(refused);
    }
    return 0;
}
