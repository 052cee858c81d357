// SPDX-License-Identifier: MIT
#include "daemon/filter/record_filter.hpp"

#include <algorithm>
#include <stdexcept>

namespace livelogd::filter {
namespace {

constexpr std::string_view request_type = "request";
constexpr std::string_view response_type = "response";

}  // namespace

record_filter::record_filter(const std::vector<std::string>& types) : all_(types.empty()) {
    for (const std::string& value : types) {
        if (value.empty())
            throw std::invalid_argument(
                "the parameter type is empty; it is all, api, errors, or the type of the records wanted");
        if (value == "all") {
            all_ = true;
        } else if (value == "api") {
            asks_for_api_ = true;
            types_.emplace_back(request_type);
            types_.emplace_back(response_type);
        } else if (value == "errors") {
            errors_ = true;
        } else {
            if (value == request_type || value == response_type) asks_for_api_ = true;
            types_.push_back(value);
        }
    }
}

bool record_filter::matches(const protocol::record_fields& fields) const {
    if (all_) return true;
    if (errors_ && protocol::is_error_record(fields)) return true;
    return std::any_of(types_.begin(), types_.end(),
                       [&](const std::string& type) { return protocol::string_equals(fields.type, type); });
}

bool record_filter::matches(std::string_view line, const protocol::record_digest& digest) const {
    if (all_) return true;
    if (errors_ && digest.error) return true;
    if (types_.empty()) return false;
    if (!digest.type_is_indirect) return type_passes(digest.type_in(line));
    protocol::record_scanner scanner;
    protocol::record_fields fields;
    return !scanner.scan_record(line, fields) && matches(fields);
}

bool record_filter::type_passes(std::string_view type) const {
    return std::find(types_.begin(), types_.end(), type) != types_.end();
}

}  // namespace livelogd::filter
