// SPDX-License-Identifier: MIT
// Sorts out most keys that are none of some names, for less than a comparison costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace livelogd::protocol {

/// What is kept of the names is how long those are that begin and end alike.
class key_filter {
  public:
    constexpr void add(std::string_view name) {
        if (!name.empty()) lengths_[ends_of(name)] |= length_bit(name.size());
    }

    /// No only if `key` is none of the names.
    [[nodiscard]] constexpr bool may_hold(std::string_view key) const {
        return !key.empty() && (lengths_[ends_of(key)] & length_bit(key.size())) != 0;
    }

  private:
    static constexpr std::uint64_t length_bit(std::size_t length) {
        return std::uint64_t{1} << (length < 63 ? length : 63);
    }

    /// One number for the first and the last character; few names share one.
    static constexpr std::size_t ends_of(std::string_view name) {
        return (static_cast<unsigned char>(name.front()) * 7U + static_cast<unsigned char>(name.back()))
               % 256;
    }

    std::array<std::uint64_t, 256> lengths_{};  ///< by ends
};

}  // namespace livelogd::protocol
