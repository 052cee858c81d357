// SPDX-License-Identifier: MIT
#include "daemon/filter/facet.hpp"

#include "protocol/json_walk.hpp"
#include "protocol/llm_fields.hpp"

#include <utility>

namespace livelogd::filter {
namespace {

bool begins_name(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool continues_name(char c) {
    return begins_name(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

}  // namespace

std::size_t field_name_size(std::string_view text) {
    if (text.empty() || !begins_name(text.front())) return 0;
    std::size_t size = 1;
    while (size < text.size() && continues_name(text[size]))
        ++size;
    return size;
}

bool is_field_name(std::string_view text) {
    return !text.empty() && field_name_size(text) == text.size();
}

std::vector<std::string> facet_values(const record_view& record, std::string_view field) {
    std::vector<std::string> values;
    if (field == "level") {
        values.emplace_back(protocol::level_name(record.digest.severity));
    } else if (field == "model") {
        auto models = protocol::read_llm_models(record.line);
        const bool differ = models.asked != models.answered;
        if (!models.answered.empty()) values.push_back(std::move(models.answered));
        if (!models.asked.empty() && differ) values.push_back(std::move(models.asked));
    } else if (field == "type" && !record.digest.type_is_indirect && record.digest.type_size != 0) {
        values.emplace_back(record.digest.type_in(record.line));
    } else {
        const auto token = protocol::field_of(record.object(), field == "status" ? "status_code" : field);
        if (field == "status" && !token.is_number()) return values;
        if (auto value = protocol::scalar_name(token)) values.push_back(*std::move(value));
    }
    return values;
}

}  // namespace livelogd::filter
