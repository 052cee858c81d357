// SPDX-License-Identifier: MIT
#include "daemon/alerts/alert_rule.hpp"

#include <string_view>

namespace livelogd::alerts {

std::string describe(const filter::filter_words& words) {
    std::string text;
    for (const auto name : filter::filter_parameters()) {
        for (const auto& value : filter::values_of(words, name)) {
            if (!text.empty()) text += ' ';
            text += name;
            text += '=';
            const bool is_word = value.find_first_of(" \"") == std::string::npos;
            text += is_word ? value : '"' + value + '"';
        }
    }
    return text.empty() ? "every record" : text;
}

}  // namespace livelogd::alerts
