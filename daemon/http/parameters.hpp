// SPDX-License-Identifier: MIT
// Typed reading of query parameters.
#pragma once

#include "daemon/http/request.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::http {

/// Reads the parameters of one request. Every reader throws bad_request naming the parameter.
class parameters {
  public:
    /// Refuses a parameter that is neither in `known` nor in `shared`.
    parameters(const request& from, std::initializer_list<std::string_view> known,
               std::span<const std::string_view> shared = {});

    /// The values of a parameter that may be given several times.
    [[nodiscard]] std::vector<std::string> all(std::string_view name) const;

    /// A whole number from `least` to `most`; nothing if it is not given.
    [[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view name, std::uint64_t least,
                                                            std::uint64_t most) const;

    /// true or false; nothing if it is not given.
    [[nodiscard]] std::optional<bool> truth(std::string_view name) const;

    /// One of `words`, told by its place among them; nothing if it is not given.
    [[nodiscard]] std::optional<std::size_t> choice(std::string_view name,
                                                    std::span<const std::string_view> words) const;

    /// The places of all the words that are given for a parameter that may be given several times.
    [[nodiscard]] std::vector<std::size_t> choices(std::string_view name,
                                                   std::span<const std::string_view> words) const;

    /// A number, in plain decimal digits, above 0 and at most `most`; nothing if it is not given.
    [[nodiscard]] std::optional<double> positive_number(std::string_view name, double most) const;

    /// The value of a parameter that may be given once.
    [[nodiscard]] std::optional<std::string_view> one(std::string_view name) const;

  private:
    const parameter_list& given_;
};

}  // namespace livelogd::http
