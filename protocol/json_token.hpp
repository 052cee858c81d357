// SPDX-License-Identifier: MIT
// One JSON value as it was spelled, without a document tree around it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace livelogd::protocol {

enum class json_kind : std::uint8_t { absent, null, boolean, number, string, object, array };

/// A view of one valid JSON value inside a line; lives as long as the line's bytes.
struct json_token {
    json_kind kind = json_kind::absent;
    std::string_view text;  ///< the bytes as spelled; a string with its quotes

    [[nodiscard]] bool is_string() const { return kind == json_kind::string; }
    [[nodiscard]] bool is_number() const { return kind == json_kind::number; }

    /// A string's bytes between the quotes, escapes not decoded. Only for strings.
    [[nodiscard]] std::string_view inner() const { return text.substr(1, text.size() - 2); }
};

/// The characters of a JSON string, escapes decoded. Only for strings.
std::string decode_string(const json_token& token);

/// Whether `token` is a string with these characters, whatever its spelling.
bool string_equals(const json_token& token, std::string_view characters);

/// What a scalar counts as in a map of names: a string decoded, a number or boolean as spelled;
/// nothing for null, absent, objects and arrays.
std::optional<std::string> scalar_name(const json_token& token);

/// The value of a number as a double (may be infinite: 1e400 is legal JSON); nothing for other kinds.
std::optional<double> number_value(const json_token& token);

}  // namespace livelogd::protocol
