// SPDX-License-Identifier: MIT
#include "daemon/http/metrics_text.hpp"

#include <cstddef>

namespace livelogd::http {
namespace {

constexpr std::uint64_t per_second = 1'000'000;

/// What would end a line, a value or an escape is escaped. `quotes`: so are quotation marks; a help text
/// keeps them.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
        } else {
            if (c == '\\' || (quotes && c == '"')) out += '\\';
            out += c;
        }
    }
}

std::string_view name_of(metrics_text::kind what) {
    switch (what) {
        case metrics_text::kind::counter:
            return "counter";
        case metrics_text::kind::gauge:
            return "gauge";
        case metrics_text::kind::histogram:
            break;
    }
    return "histogram";
}

}  // namespace

std::string seconds_text(std::uint64_t microseconds) {
    auto text = std::to_string(microseconds / per_second);
    const auto rest = microseconds % per_second;
    if (rest == 0) return text;
    // Six digits: a one in front keeps the zeros that would be missing.
    auto decimals = std::to_string(per_second + rest).substr(1);
    decimals.erase(decimals.find_last_not_of('0') + 1);
    return text + "." + decimals;
}

void metrics_text::family(std::string_view name, kind what, std::string_view help) {
    name_ = name;
    text_.append("# HELP ").append(name).append(" ");
    append_escaped(text_, help, false);
    text_.append("\n# TYPE ").append(name).append(" ").append(name_of(what)).append("\n");
}

void metrics_text::sample(std::string_view suffix, const labels& of, std::string_view number) {
    text_.append(name_).append(suffix);
    char before = '{';
    for (const auto& [name, value] : of) {
        text_ += std::exchange(before, ',');
        text_.append(name).append("=\"");
        append_escaped(text_, value, true);
        text_ += '"';
    }
    if (!of.empty()) text_ += '}';
    text_.append(" ").append(number).append("\n");
}

void metrics_text::value(std::uint64_t value, const labels& of) {
    sample({}, of, std::to_string(value));
}

void metrics_text::seconds(std::uint64_t microseconds, const labels& of) {
    sample({}, of, seconds_text(microseconds));
}

void metrics_text::histogram(const duration_counts::sums& sums, const labels& of) {
    labels with_bound = of;
    with_bound.emplace_back("le", "");
    // In the format each bucket holds those before it too.
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < sums.buckets.size(); ++i) {
        const bool last = i == duration_counts::bounds.size();
        const auto bound = last ? std::string("+Inf") : seconds_text(duration_counts::bounds[i]);
        with_bound.back().second = bound;
        so_far += sums.buckets[i];
        sample("_bucket", with_bound, std::to_string(so_far));
    }
    sample("_sum", of, seconds_text(sums.microseconds));
    sample("_count", of, std::to_string(so_far));
}

}  // namespace livelogd::http
