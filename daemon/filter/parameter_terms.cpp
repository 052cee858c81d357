// SPDX-License-Identifier: MIT
#include "daemon/filter/parameter_terms.hpp"

#include "daemon/filter/filter_error.hpp"
#include "daemon/filter/value_forms.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace livelogd::filter {
namespace {

value_test exactly(std::string_view text) {
    return value_test({.text = std::string(text)});
}

std::vector<condition> one(condition::kind what) {
    std::vector<condition> conditions;
    conditions.emplace_back(std::move(what));
    return conditions;
}

/// Reads one value of a parameter.
using reader = std::vector<condition> (*)(std::string_view value);

std::vector<condition> read_type(std::string_view value) {
    if (value.empty())
        throw filter_error(
            "type", "the parameter type is empty; it is all, api, errors, or the type of the records wanted");
    return conditions_of_type(value);
}

std::vector<condition> read_least_level(std::string_view value) {
    const auto lowest = read_level(value);
    if (!lowest) throw filter_error("level", must_be("level", level_forms, value));
    return one(severity_in{.lowest = *lowest});
}

std::vector<condition> read_status_code(std::string_view value) {
    const auto range = read_status(value);
    if (!range || range->highest < range->lowest)
        throw filter_error("status", must_be("status", "like 404, 4xx or 400-499", value));
    return one(*range);
}

std::vector<condition> read_text(std::string_view value) {
    if (value.empty()) return one(any_record{});
    return one(text_contains{text_search(value)});
}

std::vector<condition> read_model(std::string_view value) {
    return one(model_is{exactly(value)});
}

/// The field of this name has exactly this value.
template <const char* field>
std::vector<condition> read_field(std::string_view value) {
    return one(field_is{.field = field, .test = exactly(value)});
}

constexpr char endpoint_field[] = "endpoint";
constexpr char method_field[] = "method";
constexpr char request_id_field[] = "request_id";

void add(const std::vector<std::string>& values, reader read, std::vector<term>& terms) {
    if (values.empty()) return;
    std::vector<condition> conditions;
    for (const std::string& value : values) {
        auto read_ones = read(value);
        std::ranges::move(read_ones, std::back_inserter(conditions));
    }
    terms.emplace_back(std::move(conditions), false);
}

}  // namespace

std::vector<term> terms_of_parameters(const filter_words& words) {
    std::vector<term> terms;
    add(words.type, read_type, terms);
    add(words.level, read_least_level, terms);
    add(words.endpoint, read_field<endpoint_field>, terms);
    add(words.method, read_field<method_field>, terms);
    add(words.request_id, read_field<request_id_field>, terms);
    add(words.model, read_model, terms);
    add(words.status, read_status_code, terms);
    add(words.search, read_text, terms);
    return terms;
}

std::vector<condition> conditions_of_type(std::string_view type) {
    if (type == "all") return one(any_record{});
    if (type == "errors") return one(error_record{});
    if (type != "api") return one(type_is{exactly(type)});
    auto conditions = one(type_is{exactly("request")});
    conditions.emplace_back(type_is{exactly("response")});
    return conditions;
}

bool names_api_calls(std::string_view type) {
    return type == "api" || type == "request" || type == "response";
}

}  // namespace livelogd::filter
