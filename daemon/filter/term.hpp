// SPDX-License-Identifier: MIT
// Conditions put together: those that a parameter or a term of an expression asks for.
#pragma once

#include "daemon/filter/condition.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::filter {

/// Several records that are looked at as one: a condition holds if it holds for one of them.
using records_as_one = std::span<record_facts* const>;

/// Holds if one of its conditions does; a negated one, if none does. Immutable.
class term {
  public:
    /// `conditions`: at least one.
    term(std::vector<condition> conditions, bool negated);

    [[nodiscard]] bool holds(records_as_one records) const;

    [[nodiscard]] bool holds_always() const;
    [[nodiscard]] condition_cost cost() const { return conditions_.back().cost(); }
    [[nodiscard]] bool needs_line() const;
    /// Whether it holds for error records alone.
    [[nodiscard]] bool asks_for_errors() const;

    /// What a record shows in its line for which it holds.
    [[nodiscard]] text_traces traces() const;

    /// Equal keys: the same term.
    [[nodiscard]] std::string key() const;

  private:
    std::vector<condition> conditions_;  ///< none twice; what costs least comes first
    bool negated_;
};

/// Terms that must all hold. Immutable.
class conjunction {
  public:
    /// No term: holds always.
    explicit conjunction(std::vector<term> terms = {});

    [[nodiscard]] bool holds(records_as_one records) const;

    [[nodiscard]] bool holds_always() const { return terms_.empty(); }
    [[nodiscard]] bool needs_line() const;
    [[nodiscard]] bool asks_for_errors() const;
    /// As of a term: those that say most.
    [[nodiscard]] text_traces traces() const;
    [[nodiscard]] std::string key() const;

  private:
    std::vector<term> terms_;  ///< none that holds always, none twice; what costs least comes first
};

}  // namespace livelogd::filter
