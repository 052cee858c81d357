// SPDX-License-Identifier: MIT
// Reads an expression, the parameter q.
#pragma once

#include "daemon/filter/query_syntax.hpp"

#include <cstddef>
#include <string_view>

namespace livelogd::filter {

/// Terms, and values in lists, of one expression; a list counts each of its values.
inline constexpr std::size_t max_conditions = 100;

/// Regular expressions in one expression.
inline constexpr std::size_t max_patterns = 8;

/// What helps where a term was meant as a text.
inline constexpr std::string_view quote_it = ". To search for this text, put it in quotes";

/// The terms of `text`, which must be UTF-8. Throws filter_error with the place of the term that cannot be
/// read. What the terms mean (whether a regular expression is one, whether there is such a level) is not
/// looked at.
syntax::query parse_query(std::string_view text);

/// Throws the filter_error that says what is wrong with this term: "'<the term>': <sentence>".
[[noreturn]] void refuse_term(const syntax::term& term, std::string_view sentence);

}  // namespace livelogd::filter
