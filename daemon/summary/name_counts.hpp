// SPDX-License-Identifier: MIT
// How often which name occurs.
#pragma once

#include "daemon/summary/byte_codec.hpp"
#include "protocol/json_token.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace livelogd::summary {

/// The memory that the names of one answer may take together, bytes. One thread at a time.
class name_budget {
  public:
    static constexpr std::size_t default_bytes = 64u << 20;
    explicit name_budget(std::size_t bytes = default_bytes) : left_(bytes) {}
    /// Whether there is room for one more name of so many bytes; then it is taken.
    bool take(std::size_t bytes) {
        constexpr std::size_t overhead = 96;  // of an entry in a map of names
        if (bytes + overhead > left_) {
            exhausted_ = true;
            return false;
        }
        left_ -= bytes + overhead;
        return true;
    }

    /// Whether it has refused a name.
    [[nodiscard]] bool exhausted() const { return exhausted_; }

  private:
    std::size_t left_;
    bool exhausted_ = false;
};

/// Keeps every name that the budget has room for; what is shown of them is bounded.
class name_counts {
  public:
    /// `budget` must outlive the counts.
    explicit name_counts(name_budget& budget) : budget_(&budget) {}

    /// What the rest is shown as.
    static constexpr std::string_view other_name = "(other)";

    struct entry {
        std::string_view name;  ///< ends with the next change of the counts
        std::uint64_t count = 0;
    };

    void add(std::string_view name) { add(name, 1); }
    void add(std::string_view name, std::uint64_t times);

    /// Counts what protocol::scalar_name makes of the value: null, containers and what is absent are not
    /// counted.
    void add(const protocol::json_token& value);

    void write(byte_writer& out) const;
    /// Adds counts that were written.
    void merge(byte_reader& in);
    void merge(const name_counts& other);

    /// The `most` most frequent names, by falling count, ties by name in the order of its bytes. If there are
    /// more names, or were more than the budget has room for, one more entry follows, other_name with the sum
    /// of the rest; a name that is really spelled so is part of that entry then, for a map can hold it only
    /// once.
    [[nodiscard]] std::vector<entry> top(std::size_t most) const;

  private:
    /// Lets a view be looked up without making a string of it.
    struct name_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
    };
    name_budget* budget_;
    std::unordered_map<std::string, std::uint64_t, name_hash, std::equal_to<>> counts_;
    std::uint64_t beyond_ = 0;  ///< of names that there was no room for
};

}  // namespace livelogd::summary
