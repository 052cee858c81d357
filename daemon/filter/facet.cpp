// SPDX-License-Identifier: MIT
#include "daemon/filter/facet.hpp"

#include "protocol/json_walk.hpp"
#include "protocol/llm_fields.hpp"

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

std::optional<std::string> facet_value(const record_view& record, std::string_view field) {
    if (field == "model") {
        auto models = protocol::read_llm_models(record.line);
        std::string& told = models.answered.empty() ? models.asked : models.answered;
        if (told.empty()) return std::nullopt;
        return std::move(told);
    }
    if (field == "type" && !record.digest.type_is_indirect && record.digest.type_size != 0)
        return std::string(record.digest.type_in(record.line));
    const auto token = protocol::field_of(record.object(), field == "status" ? "status_code" : field);
    if (field == "status" && !token.is_number()) return std::nullopt;
    auto value = protocol::scalar_name(token);
    if (field == "level" && value) return std::string(protocol::level_name(record.digest.severity));
    return value;
}

}  // namespace livelogd::filter
