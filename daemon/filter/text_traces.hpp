// SPDX-License-Identifier: MIT
// What a text leaves in a line as it is stored, where it may be spelled with escapes.
#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::filter {

/// A record can hold what is asked for only if its line, as stored, holds one of these. The reverse is not
/// true: traces say which lines need not be read, never that one fits. A value.
class text_traces {
  public:
    /// How much it says that a line has them.
    enum class worth : unsigned char {
        name,   ///< many records have such a field
        kind,   ///< many records have a value of a few
        value,  ///< few records have it
    };

    /// None: any line may fit.
    text_traces() = default;

    /// Those of a text that occurs in the searched text of the record (escapes decoded, ASCII letters in
    /// either case).
    static text_traces of_text(std::string_view text, worth w = worth::value);

    /// Those of a text within JSON that may itself stand in a string of the record: escaped again.
    static text_traces of_nested_text(std::string_view text);

    [[nodiscard]] bool any_line() const { return literals_.empty(); }

    /// Bytes without control characters, ASCII letters in lower case, for either; at most
    /// byte_triple::reach of them.
    [[nodiscard]] const std::vector<std::string>& literals() const { return literals_; }

    /// ASCII characters that are a trace where they are spelled \u00XX.
    [[nodiscard]] const std::bitset<128>& escaped() const { return escaped_; }

    /// What either of the two leaves.
    void or_else(const text_traces& other);

    /// Whether lines with these are probably fewer.
    [[nodiscard]] bool say_more_than(const text_traces& other) const;

  private:
    bool add_ascii(std::string_view text);
    bool add_others(std::string_view text);
    void add_literal(std::string_view bytes);

    std::vector<std::string> literals_;
    std::bitset<128> escaped_;
    worth worth_ = worth::value;
    std::size_t shortest_ = 0;  ///< bytes of the text that the least telling literal stands for
};

}  // namespace livelogd::filter
