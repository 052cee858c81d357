// SPDX-License-Identifier: MIT
#include "daemon/filter/condition.hpp"

#include "daemon/filter/number_order.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace livelogd::filter {
namespace {

std::string key_of(double number) {
    std::array<char, 32> text{};
    const auto written = std::to_chars(text.data(), text.data() + text.size(), number);
    return {text.data(), written.ptr};
}

struct holds_for {
    record_facts& record;

    bool operator()(const any_record& /*all*/) const { return true; }
    bool operator()(const error_record& /*error*/) const { return record.digest().error; }
    bool operator()(const severity_in& wanted) const {
        const protocol::level severity = record.digest().severity;
        return severity >= wanted.lowest && severity <= wanted.highest;
    }
    bool operator()(const type_is& wanted) const {
        if (const auto plain = record.plain_type()) return wanted.test.holds(*plain);
        if (!record.digest().type_is_indirect && !wanted.test.may_hold_without_characters()) return false;
        return wanted.test.holds(record.field("type"));
    }
    bool operator()(const field_is& wanted) const { return wanted.test.holds(record.field(wanted.field)); }
    bool operator()(const field_is_there& wanted) const {
        const protocol::json_kind kind = record.field(wanted.field).kind;
        return kind != protocol::json_kind::absent && kind != protocol::json_kind::null;
    }
    bool operator()(const field_compares& wanted) const {
        const protocol::json_token value = record.field(wanted.field);
        if (!value.is_number()) return false;
        const auto order = compare_numbers(value.text, wanted.operand);
        switch (wanted.compared) {
            case syntax::comparison::above:
                return order > 0;
            case syntax::comparison::at_least:
                return order >= 0;
            case syntax::comparison::below:
                return order < 0;
            case syntax::comparison::at_most:
                return order <= 0;
        }
        return false;
    }
    bool operator()(const status_in& wanted) const {
        const auto status = protocol::number_value(record.field("status_code"));
        return status && *status >= wanted.lowest
               && (wanted.without_highest ? *status < wanted.highest : *status <= wanted.highest);
    }
    bool operator()(const model_is& wanted) const {
        const protocol::llm_models& models = record.models();
        return (!models.answered.empty() && wanted.test.holds(std::string_view(models.answered)))
               || (!models.asked.empty() && wanted.test.holds(std::string_view(models.asked)));
    }
    bool operator()(const model_is_told& /*any*/) const {
        return !record.models().answered.empty() || !record.models().asked.empty();
    }
    bool operator()(const text_contains& wanted) const { return wanted.wanted.occurs_in(record.text()); }
    bool operator()(const text_matches& wanted) const { return wanted.expression.matches_in(record.text()); }
};

struct cost_of {
    static condition_cost of(const value_test& test, condition_cost otherwise) {
        return test.has_pattern() ? condition_cost::expression : otherwise;
    }
    condition_cost operator()(const any_record& /*all*/) const { return condition_cost::digest; }
    condition_cost operator()(const error_record& /*error*/) const { return condition_cost::digest; }
    condition_cost operator()(const severity_in& /*wanted*/) const { return condition_cost::digest; }
    condition_cost operator()(const type_is& wanted) const {
        return of(wanted.test,
                  wanted.test.may_hold_without_characters() ? condition_cost::field : condition_cost::digest);
    }
    condition_cost operator()(const field_is& wanted) const { return of(wanted.test, condition_cost::field); }
    condition_cost operator()(const field_is_there& /*wanted*/) const { return condition_cost::field; }
    condition_cost operator()(const field_compares& /*wanted*/) const { return condition_cost::field; }
    condition_cost operator()(const status_in& /*wanted*/) const { return condition_cost::field; }
    condition_cost operator()(const model_is& wanted) const {
        return of(wanted.test, condition_cost::models);
    }
    condition_cost operator()(const model_is_told& /*any*/) const { return condition_cost::models; }
    condition_cost operator()(const text_contains& /*wanted*/) const { return condition_cost::text; }
    condition_cost operator()(const text_matches& /*wanted*/) const { return condition_cost::expression; }
};

struct written_key {
    std::string operator()(const any_record& /*all*/) const { return "any"; }
    std::string operator()(const error_record& /*error*/) const { return "errors"; }
    std::string operator()(const severity_in& wanted) const {
        return "level " + std::string(level_name(wanted.lowest)) + ".."
               + std::string(level_name(wanted.highest));
    }
    std::string operator()(const type_is& wanted) const { return "type:" + wanted.test.key(); }
    std::string operator()(const field_is& wanted) const {
        return quoted_key(wanted.field) + ":" + wanted.test.key();
    }
    std::string operator()(const field_is_there& wanted) const { return quoted_key(wanted.field) + ":*"; }
    std::string operator()(const field_compares& wanted) const {
        return quoted_key(wanted.field) + std::string(sign_of(wanted.compared)) + wanted.operand;
    }
    std::string operator()(const status_in& wanted) const {
        return "status " + key_of(wanted.lowest) + ".." + key_of(wanted.highest)
               + (wanted.without_highest ? ")" : "");
    }
    std::string operator()(const model_is& wanted) const { return "model:" + wanted.test.key(); }
    std::string operator()(const model_is_told& /*any*/) const { return "model:*"; }
    std::string operator()(const text_contains& wanted) const { return quoted_key(wanted.wanted.wanted()); }
    std::string operator()(const text_matches& wanted) const { return "~" + quoted_key(wanted.source); }
};

struct traces_of {
    /// Of a field that is there. Whether its name is a key or the way to one, its last part is in the line.
    static text_traces of_name(std::string_view field) {
        return text_traces::of_text(field.substr(field.rfind('.') + 1), text_traces::worth::name);
    }
    static text_traces of_value(std::string_view field, text_traces traces) {
        if (traces.any_line()) return of_name(field);
        return traces;
    }
    text_traces operator()(const any_record& /*all*/) const { return {}; }
    text_traces operator()(const error_record& /*error*/) const { return {}; }
    text_traces operator()(const severity_in& /*wanted*/) const { return {}; }
    text_traces operator()(const type_is& wanted) const {
        return of_value("type", wanted.test.traces(text_traces::worth::kind));
    }
    text_traces operator()(const field_is& wanted) const {
        return of_value(wanted.field, wanted.test.traces());
    }
    text_traces operator()(const field_is_there& wanted) const { return of_name(wanted.field); }
    text_traces operator()(const field_compares& wanted) const { return of_name(wanted.field); }
    text_traces operator()(const status_in& /*wanted*/) const { return of_name("status_code"); }
    text_traces operator()(const model_is& wanted) const { return wanted.test.nested_traces(); }
    text_traces operator()(const model_is_told& /*any*/) const { return {}; }
    text_traces operator()(const text_contains& wanted) const {
        return text_traces::of_text(wanted.wanted.wanted());
    }
    text_traces operator()(const text_matches& /*wanted*/) const { return {}; }
};

}  // namespace

condition::condition(kind what)
    : what_(std::move(what)),
      cost_(std::visit(cost_of{}, what_)),
      needs_line_(cost_ != condition_cost::digest),
      key_(std::visit(written_key{}, what_)) {}

bool condition::holds(record_facts& record) const {
    return std::visit(holds_for{record}, what_);
}

bool condition::asks_for_errors() const {
    if (const auto* severity = std::get_if<severity_in>(&what_))
        return severity->lowest >= protocol::level::error;
    if (const auto* status = std::get_if<status_in>(&what_)) return status->lowest >= 400;
    return std::holds_alternative<error_record>(what_);
}

text_traces condition::traces() const {
    return std::visit(traces_of{}, what_);
}

}  // namespace livelogd::filter
