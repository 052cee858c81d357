// SPDX-License-Identifier: MIT
#include "daemon/filter/query_terms.hpp"

#include "daemon/filter/number_order.hpp"
#include "daemon/filter/parameter_terms.hpp"
#include "daemon/filter/query_parser.hpp"
#include "daemon/filter/time_bound.hpp"
#include "daemon/filter/value_forms.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace livelogd::filter {
namespace {

/// Reads one term.
class term_reader {
  public:
    explicit term_reader(const syntax::term& from) : from_(from) {}

    term read() {
        switch (from_.form) {
            case syntax::term_form::text:
                add_text(from_.values.front().text);
                break;
            case syntax::term_form::expression:
                conditions_.emplace_back(text_matches{.expression = expression(from_.values.front()),
                                                      .source = from_.values.front().text});
                break;
            case syntax::term_form::values:
                for (const syntax::value& value : from_.values)
                    add_value(value);
                break;
            case syntax::term_form::comparison:
                add_comparison();
        }
        return {std::move(conditions_), from_.negated};
    }

  private:
    [[noreturn]] void refuse(const std::string& sentence) const { refuse_term(from_, sentence); }

    void add_text(const std::string& text) {
        if (text.empty()) {
            conditions_.emplace_back(any_record{});
        } else {
            conditions_.emplace_back(text_contains{text_search(text)});
        }
    }

    [[nodiscard]] pattern expression(const syntax::value& value) const {
        try {
            return pattern(value.text);
        } catch (const pattern_error& error) {
            refuse("the regular expression cannot be used: " + std::string(error.what()));
        }
    }

    [[nodiscard]] value_test test(const syntax::value& value) const {
        try {
            return value_test(value);
        } catch (const pattern_error& error) {
            refuse("the regular expression cannot be used: " + std::string(error.what()));
        }
    }

    void add_value(const syntax::value& value) {
        const std::string& field = from_.field;
        refuse_time(value.text);
        if (field == "level") return add_level(value);
        if (field == "model") return add_model(value);
        if (field == "status") return add_status(value);
        if (value.form == syntax::value_form::anything) {
            conditions_.emplace_back(field_is_there{field});
        } else if (field != "type") {
            conditions_.emplace_back(field_is{.field = field, .test = test(value)});
        } else if (value.form == syntax::value_form::exact) {
            auto read = conditions_of_type(value.text);
            std::ranges::move(read, std::back_inserter(conditions_));
        } else {
            conditions_.emplace_back(type_is{test(value)});
        }
    }

    /// A time in q is not compared with anything: the parameters do that.
    void refuse_time(std::string_view text) const {
        if (from_.field != "since" && from_.field != "until") return;
        if (parse_time_bound(text))
            refuse("times are not part of q: give them in the parameter " + from_.field
                   + std::string(quote_it));
    }

    void add_level(const syntax::value& value) {
        if (value.form == syntax::value_form::anything) {
            conditions_.emplace_back(field_is_there{from_.field});
            return;
        }
        const auto level = value.form == syntax::value_form::exact ? read_level(value.text) : std::nullopt;
        if (!level) refuse("a level is " + std::string(level_forms) + std::string(quote_it));
        conditions_.emplace_back(severity_in{.lowest = *level, .highest = *level});
    }

    void add_model(const syntax::value& value) {
        if (value.form == syntax::value_form::anything) {
            conditions_.emplace_back(model_is_told{});
        } else {
            conditions_.emplace_back(model_is{test(value)});
        }
    }

    void add_status(const syntax::value& value) {
        if (value.form == syntax::value_form::anything) {
            conditions_.emplace_back(field_is_there{"status_code"});
            return;
        }
        const auto range = value.form == syntax::value_form::exact ? read_status(value.text) : std::nullopt;
        if (!range) {
            conditions_.emplace_back(field_is{.field = from_.field, .test = test(value)});
            return;
        }
        if (range->highest < range->lowest)
            refuse("a range of statuses begins with the smaller one, as in 400-499");
        conditions_.emplace_back(*range);
    }

    void add_comparison() {
        if (from_.field == "level") return add_compared_level();
        if (!is_json_number(from_.operand)) {
            const bool time = parse_time_bound(from_.operand).has_value();
            refuse(after_sign() + "a number"
                   + (time ? "; for times there are the parameters since and until" : "")
                   + std::string(quote_it));
        }
        const std::string field = from_.field == "status" ? "status_code" : from_.field;
        conditions_.emplace_back(
            field_compares{.field = field, .compared = from_.compared, .operand = from_.operand});
    }

    void add_compared_level() {
        const auto operand = read_level(from_.operand);
        if (!operand) refuse(after_sign() + "a level: " + std::string(level_forms) + std::string(quote_it));
        const auto neighbour = [&](int step) {
            return static_cast<protocol::level>(static_cast<int>(*operand) + step);
        };
        // Nothing is above the highest level, or below the lowest one.
        severity_in range{.lowest = protocol::level::critical, .highest = protocol::level::trace};
        switch (from_.compared) {
            case syntax::comparison::above:
                if (*operand != protocol::level::critical) range = {.lowest = neighbour(1)};
                break;
            case syntax::comparison::at_least:
                range = {.lowest = *operand};
                break;
            case syntax::comparison::below:
                if (*operand != protocol::level::trace) range = {.highest = neighbour(-1)};
                break;
            case syntax::comparison::at_most:
                range = {.highest = *operand};
        }
        conditions_.emplace_back(range);
    }

    [[nodiscard]] std::string after_sign() const {
        return "after " + std::string(sign_of(from_.compared)) + " comes ";
    }

    const syntax::term& from_;
    std::vector<condition> conditions_;
};

}  // namespace

std::vector<term> terms_of_query(const syntax::query& query) {
    std::vector<term> terms;
    for (const syntax::term& term : query)
        terms.push_back(term_reader(term).read());
    return terms;
}

bool names_api_calls(const syntax::query& query) {
    return std::ranges::any_of(query, [](const syntax::term& term) {
        return !term.negated && term.form == syntax::term_form::values && term.field == "type"
               && std::ranges::any_of(term.values, [](const syntax::value& value) {
                      return value.form == syntax::value_form::exact && names_api_calls(value.text);
                  });
    });
}

}  // namespace livelogd::filter
