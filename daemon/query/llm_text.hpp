// SPDX-License-Identifier: MIT
// What the answers of models add up to, as JSON.
#pragma once

#include "daemon/summary/llm_totals.hpp"

#include <string>

namespace livelogd::query {

/// Appends the object that the answer holds: models by falling requests, ties by name.
void append_models(std::string& out, const summary::llm_totals& models);

/// Appends `"requests":…,"input_tokens":…` and what else parts of a window tell, without braces.
void append_sums(std::string& out, const summary::llm_sums& sums);

}  // namespace livelogd::query
