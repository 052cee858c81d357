// SPDX-License-Identifier: MIT
// How a filter says that it cannot be understood.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace livelogd::filter {

/// A value that cannot be understood. what() is the sentence for the client.
class filter_error : public std::invalid_argument {
  public:
    filter_error(std::string_view parameter, const std::string& sentence,
                 std::optional<std::size_t> at = std::nullopt)
        : std::invalid_argument(sentence), parameter_(parameter), at_(at) {}

    /// The parameter that the value was given in.
    [[nodiscard]] const std::string& parameter() const { return parameter_; }

    /// Of the parameter q: how many characters (code points) stand before the term at fault.
    [[nodiscard]] std::optional<std::size_t> at() const { return at_; }

  private:
    std::string parameter_;
    std::optional<std::size_t> at_;
};

/// `value` in single quotes, for a sentence; a long one is cut at a character, and ends in `…`.
std::string quoted_excerpt(std::string_view value);

/// The sentence that refuses the value of a parameter: "<parameter> must be <wanted>, not '<value>'".
std::string must_be(std::string_view parameter, std::string_view wanted, std::string_view value);

}  // namespace livelogd::filter
