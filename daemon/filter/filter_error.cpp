// SPDX-License-Identifier: MIT
#include "daemon/filter/filter_error.hpp"

namespace livelogd::filter {

std::string quoted_excerpt(std::string_view value) {
    constexpr std::size_t most_bytes = 60;
    if (value.size() <= most_bytes) return "'" + std::string(value) + "'";
    std::size_t shown = most_bytes;
    while (shown > 0 && (static_cast<unsigned char>(value[shown]) & 0xC0U) == 0x80U)
        --shown;
    return "'" + std::string(value.substr(0, shown)) + "…'";
}

std::string must_be(std::string_view parameter, std::string_view wanted, std::string_view value) {
    return std::string(parameter) + " must be " + std::string(wanted) + ", not " + quoted_excerpt(value);
}

}  // namespace livelogd::filter
