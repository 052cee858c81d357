// SPDX-License-Identifier: MIT
#include "daemon/query/json_text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace livelogd::query {

void append_string(std::string& out, std::string_view characters) {
    out += boost::json::serialize(boost::json::string_view(characters.data(), characters.size()));
}

void append_key(std::string& out, std::string_view name) {
    if (!out.empty() && out.back() != '{') out += ',';
    out.append("\"").append(name).append("\":");
}

void append_number(std::string& out, double value) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

void append_known(std::string& out, std::optional<std::uint64_t> value) {
    out += value ? std::to_string(*value) : "null";
}

void append_token(std::string& out, const protocol::json_token& token) {
    out += token.kind == protocol::json_kind::absent ? "null" : token.text;
}

std::string decimal_text(std::uint64_t units, std::size_t decimals) {
    std::string text = std::to_string(units);
    if (text.size() <= decimals) text.insert(0, decimals + 1 - text.size(), '0');
    text.insert(text.size() - decimals, 1, '.');
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

std::string milliseconds_text(std::uint64_t us) {
    return decimal_text(us, 3);
}

std::string speed_text(wide_count tokens, wide_count ns) {
    if (ns == 0) return "null";
    constexpr unsigned hundredths_a_token = 100;
    constexpr std::uint64_t ns_a_second = 1'000'000'000;
    const wide_count rate = (tokens * ns_a_second * hundredths_a_token + ns / 2) / ns;
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    return decimal_text(rate > most ? most : static_cast<std::uint64_t>(rate), 2);
}

std::string mean_text(wide_count sum_us, std::uint64_t count) {
    if (count == 0) return "0";
    constexpr unsigned us_per_unit = 10;  // of a hundredth of a millisecond
    const wide_count divisor = wide_count{count} * us_per_unit;
    return decimal_text(static_cast<std::uint64_t>((sum_us + divisor / 2) / divisor), 2);
}

void append_percentiles(std::string& out, const duration_histogram& durations) {
    if (durations.count() == 0) {
        out += R"({"p50":null,"p90":null,"p95":null,"p99":null,"max":null})";
        return;
    }
    static constexpr std::array<std::pair<std::string_view, unsigned>, 4> shown{
        {{R"({"p50":)", 50}, {R"(,"p90":)", 90}, {R"(,"p95":)", 95}, {R"(,"p99":)", 99}}};
    for (const auto& [before, percent] : shown)
        out.append(before).append(milliseconds_text(durations.percentile(percent)));
    out.append(R"(,"max":)").append(milliseconds_text(durations.max())).append("}");
}

}  // namespace livelogd::query
