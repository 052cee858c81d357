// SPDX-License-Identifier: MIT
#include "daemon/app/option_values.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <utility>

namespace livelogd::app {
namespace {

struct unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array size_units{
    unit{"GiB", 1ull << 30},
    unit{"MiB", 1ull << 20},
    unit{"KiB", 1ull << 10},
    unit{"GB", 1'000'000'000},
    unit{"MB", 1'000'000},
    unit{"kB", 1'000},
    unit{"B", 1},
    unit{"", 1},
};
constexpr std::array duration_units{
    unit{"d", 86'400'000}, unit{"h", 3'600'000}, unit{"min", 60'000}, unit{"m", 60'000},
    unit{"s", 1'000},      unit{"ms", 1},        unit{"", 1'000},
};

/// `<digits>[ ]<unit>`, multiplied out. Throws with `example` if the text is anything else.
template <std::size_t N>
std::uint64_t read_with_unit(std::string_view text, const std::array<unit, N>& units,
                             const std::string& example) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    std::string_view name(stop, static_cast<std::size_t>(end - stop));
    if (name.starts_with(' ')) name.remove_prefix(1);
    if (error == std::errc{} && stop != text.data()) {
        for (const auto& u : units) {
            if (u.name == name && number <= std::numeric_limits<std::int64_t>::max() / u.factor) {
                return number * u.factor;
            }
        }
    }
    throw std::invalid_argument("must be " + example);
}

template <std::size_t N>
std::string show_with_unit(std::uint64_t value, const std::array<unit, N>& units,
                           std::uint64_t largest_factor) {
    for (const auto& u : units) {
        if (u.factor <= largest_factor && value != 0 && value % u.factor == 0 && !u.name.empty()) {
            return show_text(std::to_string(value / u.factor) + std::string(u.name));
        }
    }
    return "0";
}

}  // namespace

std::uint64_t read_number(std::string_view text, std::uint64_t least, std::uint64_t most) {
    std::uint64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc{} || stop != end || value < least || value > most) {
        throw std::invalid_argument("must be a whole number from " + std::to_string(least) + " to "
                                    + std::to_string(most));
    }
    return value;
}

bool read_boolean(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    throw std::invalid_argument("must be true or false");
}

std::uint64_t read_size(std::string_view text, std::uint64_t least, std::uint64_t most) {
    const auto bytes = read_with_unit(text, size_units, "a size in bytes such as 1048576, 512KiB or 10MiB");
    if (bytes < least) throw std::invalid_argument("must be at least " + std::to_string(least) + " bytes");
    if (bytes > most) throw std::invalid_argument("must be at most " + std::to_string(most) + " bytes");
    return bytes;
}

std::chrono::milliseconds read_duration(std::string_view text, std::chrono::milliseconds least) {
    const std::chrono::milliseconds time(static_cast<std::int64_t>(
        read_with_unit(text, duration_units, "a time such as 500ms, 10s, 5min, 2h or 30d")));
    if (time < least) throw std::invalid_argument("must be at least " + std::to_string(least.count()) + "ms");
    return time;
}

std::uint64_t read_mode(std::string_view text) {
    std::uint64_t mode = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, mode, 8);
    if (text.empty() || error != std::errc{} || stop != end || mode > 0777) {
        throw std::invalid_argument("must be octal permissions such as 0660");
    }
    return mode;
}

std::string show_text(std::string_view text) {
    std::string shown = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') shown.push_back('\\');
        if (static_cast<unsigned char>(c) < 0x20) {
            constexpr std::string_view digits = "0123456789ABCDEF";
            shown.append("\\u00").push_back(digits[static_cast<unsigned char>(c) >> 4]);
            shown.push_back(digits[static_cast<unsigned char>(c) & 15]);
        } else {
            shown.push_back(c);
        }
    }
    return shown + "\"";
}

std::string show_list(const std::vector<std::string>& values) {
    std::string shown = "[";
    for (const auto& value : values)
        shown += (shown.size() > 1 ? ", " : "") + show_text(value);
    return shown + "]";
}

std::string quote_all(const std::vector<std::string>& values) {
    std::string text;
    for (const auto& value : values)
        text += (text.empty() ? "'" : ", '") + value + "'";
    return text;
}

std::string show_size(std::uint64_t bytes) {
    return show_with_unit(bytes, size_units, 1ull << 30);
}

std::string show_duration(std::chrono::milliseconds time) {
    return show_with_unit(static_cast<std::uint64_t>(time.count()), duration_units, 86'400'000);
}

std::string show_mode(std::uint64_t mode) {
    std::array<char, 8> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), mode, 8);
    return show_text("0" + std::string(digits.data(), end));
}

}  // namespace livelogd::app
