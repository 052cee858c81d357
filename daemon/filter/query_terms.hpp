// SPDX-License-Identifier: MIT
// What the terms of an expression mean.
#pragma once

#include "daemon/filter/query_syntax.hpp"
#include "daemon/filter/term.hpp"

#include <vector>

namespace livelogd::filter {

/// Throws filter_error with the place of the term that means nothing.
std::vector<term> terms_of_query(const syntax::query& query);

/// Whether a term without minus asks for requests or responses by name.
bool names_api_calls(const syntax::query& query);

}  // namespace livelogd::filter
