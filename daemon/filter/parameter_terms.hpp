// SPDX-License-Identifier: MIT
// What the parameters other than q and the times mean.
#pragma once

#include "daemon/filter/filter_words.hpp"
#include "daemon/filter/term.hpp"

#include <string_view>
#include <vector>

namespace livelogd::filter {

/// One term for each parameter that is given. Throws filter_error.
std::vector<term> terms_of_parameters(const filter_words& words);

/// The conditions of a type: `all`, `api`, `errors`, else exactly that one.
std::vector<condition> conditions_of_type(std::string_view type);

/// Whether it asks for requests or responses by name.
bool names_api_calls(std::string_view type);

}  // namespace livelogd::filter
