// SPDX-License-Identifier: MIT
// An expression (the parameter q) as it is written: its terms, before anybody asks what they mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::filter::syntax {

enum class value_form : std::uint8_t {
    exact,       ///< exactly the text
    open,        ///< the text with anything before it, after it, or both
    expression,  ///< a regular expression
    anything,    ///< `*`: whatever is there
};

struct value {
    value_form form = value_form::exact;
    std::string text = {};  ///< without quotes, slashes and stars; escapes of the expression's syntax decoded
    bool open_front = false;
    bool open_back = false;

    friend bool operator==(const value&, const value&) = default;
};

enum class term_form : std::uint8_t {
    text,        ///< a word or phrase
    expression,  ///< `/regex/`
    values,      ///< `field:value`, `field:(a|b)`
    comparison,  ///< `field>400`
};

enum class comparison : std::uint8_t { above, at_least, below, at_most };

/// As it is written: `>=`.
std::string_view sign_of(comparison compared);

struct term {
    std::size_t at = 0;  ///< characters (code points) before it
    std::string source;  ///< as written, with its minus
    bool negated = false;
    term_form form = term_form::text;
    std::string field;          ///< of values and comparison
    std::vector<value> values;  ///< one, exact, of text; one of expression; at least one of values
    comparison compared = comparison::above;
    std::string operand;  ///< of a comparison, as written
};

using query = std::vector<term>;

}  // namespace livelogd::filter::syntax
