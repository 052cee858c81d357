// SPDX-License-Identifier: MIT
// Environment variables, as those who read them get them.
#pragma once

#include <optional>

namespace livelogd::app {

/// Looks an environment variable up; null if it is not set.
using environment = const char* (*)(const char* name);

/// The value of a variable that is a whole number; nothing if it is missing or anything else.
std::optional<long long> number_in(environment variables, const char* name);

}  // namespace livelogd::app
