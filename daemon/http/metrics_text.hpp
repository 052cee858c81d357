// SPDX-License-Identifier: MIT
// Writing Prometheus' text exposition format, version 0.0.4.
#pragma once

#include "daemon/http/request_counts.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::http {

/// A text of families, each begun once and followed by its samples. Pure: knows neither where the numbers
/// come from nor where the text goes.
class metrics_text {
  public:
    static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

    enum class kind : std::uint8_t { counter, gauge, histogram };

    /// Names match [a-z][a-z0-9_]*; values may be any UTF-8.
    using labels = std::vector<std::pair<std::string_view, std::string_view>>;

    /// Begins a family. Names are the caller's own words: they are not escaped, `help` is.
    void family(std::string_view name, kind what, std::string_view help);

    /// A sample of the family that was begun last.
    void value(std::uint64_t value, const labels& of = {});

    /// The same, told in seconds, exactly.
    void seconds(std::uint64_t microseconds, const labels& of = {});

    /// All samples of a histogram of seconds with these labels.
    void histogram(const duration_counts::sums& sums, const labels& of = {});

    [[nodiscard]] const std::string& text() const& { return text_; }
    [[nodiscard]] std::string text() && { return std::move(text_); }

  private:
    void sample(std::string_view suffix, const labels& of, std::string_view number);

    std::string text_;
    std::string name_;  ///< of the family that was begun last
};

/// A number of microseconds as seconds, in plain digits, without zeros at the end: "0", "0.0025", "12".
std::string seconds_text(std::uint64_t microseconds);

}  // namespace livelogd::http
