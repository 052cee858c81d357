// SPDX-License-Identifier: MIT
// One thing that may be asked about a record.
#pragma once

#include "daemon/filter/pattern.hpp"
#include "daemon/filter/query_syntax.hpp"
#include "daemon/filter/record_facts.hpp"
#include "daemon/filter/text_search.hpp"
#include "daemon/filter/text_traces.hpp"
#include "daemon/filter/value_test.hpp"
#include "protocol/level.hpp"

#include <cstdint>
#include <string>
#include <variant>

namespace livelogd::filter {

/// Every record.
struct any_record {};

/// Level ERROR or above, or a status of 400 or above.
struct error_record {};

/// A severity from `lowest` to `highest`.
struct severity_in {
    protocol::level lowest = protocol::level::trace;
    protocol::level highest = protocol::level::critical;
};

struct type_is {
    value_test test;
};

struct field_is {
    std::string field;
    value_test test;
};

/// The field is there and not null.
struct field_is_there {
    std::string field;
};

/// The field is a number that compares so.
struct field_compares {
    std::string field;
    syntax::comparison compared = syntax::comparison::above;
    std::string operand;  ///< as JSON spells a number
};

/// `status_code` is a number from `lowest` to `highest`, which the range may leave out.
struct status_in {
    double lowest = 0;
    double highest = 0;
    bool without_highest = false;
};

/// The model that was asked for or the one that answered.
struct model_is {
    value_test test;
};

struct model_is_told {};

struct text_contains {
    text_search wanted;
};

struct text_matches {
    pattern expression;
    std::string source;
};

/// What it takes to answer, in rising order.
enum class condition_cost : std::uint8_t {
    digest,      ///< the digest is enough (now and then a type must be looked up in the line)
    field,       ///< a walk over the record
    models,      ///< several walks
    text,        ///< the whole text, decoded
    expression,  ///< a regular expression
};

/// Immutable: may be shared between threads.
class condition {
  public:
    using kind =
        std::variant<any_record, error_record, severity_in, type_is, field_is, field_is_there, field_compares,
                     status_in, model_is, model_is_told, text_contains, text_matches>;

    explicit condition(kind what);

    [[nodiscard]] bool holds(record_facts& record) const;
    [[nodiscard]] condition_cost cost() const { return cost_; }

    /// What a record shows in its line for which it holds.
    [[nodiscard]] text_traces traces() const;

    /// Whether the digest may not be enough.
    [[nodiscard]] bool needs_line() const { return needs_line_; }
    [[nodiscard]] bool holds_always() const { return std::holds_alternative<any_record>(what_); }

    /// Whether it holds for error records alone.
    [[nodiscard]] bool asks_for_errors() const;

    /// Equal keys: the same condition.
    [[nodiscard]] const std::string& key() const { return key_; }

  private:
    kind what_;
    condition_cost cost_;
    bool needs_line_;
    std::string key_;
};

}  // namespace livelogd::filter
