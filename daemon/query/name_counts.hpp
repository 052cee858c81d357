// SPDX-License-Identifier: MIT
// How often which name occurs.
#pragma once

#include "protocol/json_token.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace livelogd::query {

/// Keeps every name; what is shown of them is bounded.
class name_counts {
  public:
    /// What the rest is shown as.
    static constexpr std::string_view other_name = "(other)";

    struct entry {
        std::string_view name;  ///< ends with the next change of the counts
        std::uint64_t count = 0;
    };

    void add(std::string_view name);

    /// Counts what protocol::scalar_name makes of the value: null, containers and what is absent are not
    /// counted.
    void add(const protocol::json_token& value);

    /// The `most` most frequent names, by falling count, ties by name in the order of its bytes. If there are
    /// more names, one more entry follows, other_name with the sum of the rest; a name that is really spelled
    /// so is part of that entry then, for a map can hold it only once.
    [[nodiscard]] std::vector<entry> top(std::size_t most) const;

  private:
    /// Lets a view be looked up without making a string of it.
    struct name_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
    };
    std::unordered_map<std::string, std::uint64_t, name_hash, std::equal_to<>> counts_;
};

}  // namespace livelogd::query
