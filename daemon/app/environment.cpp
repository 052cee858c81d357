// SPDX-License-Identifier: MIT
#include "daemon/app/environment.hpp"

#include <charconv>
#include <cstring>

namespace livelogd::app {

std::optional<long long> number_in(environment variables, const char* name) {
    const char* text = variables(name);
    if (text == nullptr) return {};
    long long number = 0;
    const auto [end, error] = std::from_chars(text, text + std::strlen(text), number);
    if (error != std::errc{} || *end != '\0') return {};
    return number;
}

}  // namespace livelogd::app
