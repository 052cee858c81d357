// SPDX-License-Identifier: MIT
// Filters for tests, in one line.
#pragma once

#include "daemon/filter/record_filter.hpp"
#include "protocol/scan.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::test {

/// 2026-11-27T12:00:00Z.
inline constexpr std::int64_t filter_now_us = 1'795'780'800'000'000;

inline filter::record_filter filter_of(const filter::filter_words& words) {
    return {words, filter_now_us, base::time_zone::named("Europe/Berlin")};
}

/// The values of the parameter `type`.
inline filter::record_filter filter_of_types(std::vector<std::string> types) {
    filter::filter_words words;
    words.type = std::move(types);
    return filter_of(words);
}

/// The values of the parameter `q`.
inline filter::record_filter filter_of_q(std::vector<std::string> expressions) {
    filter::filter_words words;
    words.q = std::move(expressions);
    return filter_of(words);
}

/// `line` must be a record as it is stored, and live as long as the view.
inline filter::record_view view_of(std::string_view line) {
    protocol::record_scanner scanner;
    protocol::record_fields fields;
    if (scanner.scan_record(line, fields)) throw std::invalid_argument("no record: " + std::string(line));
    return {line, protocol::record_digest::of(line, fields)};
}

inline bool passes(const filter::record_filter& filter, std::string_view line) {
    return filter.matches(view_of(line));
}

}  // namespace livelogd::test
