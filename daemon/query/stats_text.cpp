// SPDX-License-Identifier: MIT
#include "daemon/query/stats_text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace livelogd::query {
namespace {

/// `units` of 10^-decimals, without zeros at the end.
std::string decimal_text(std::uint64_t units, std::size_t decimals) {
    std::string text = std::to_string(units);
    if (text.size() <= decimals) text.insert(0, decimals + 1 - text.size(), '0');
    text.insert(text.size() - decimals, 1, '.');
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

void append_number(std::string& out, double value) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

void append_counts(std::string& out, const name_counts& counts) {
    char separator = '{';
    for (const auto& [name, count] : counts.top(most_names)) {
        out += separator;
        out += boost::json::serialize(boost::json::string_view(name.data(), name.size()));
        out += ':';
        out += std::to_string(count);
        separator = ',';
    }
    out += separator == '{' ? "{}" : "}";
}

void append_response_times(std::string& out, const newest_texts& times) {
    out += '[';
    for (std::size_t i = 0; i < times.size(); ++i) {
        if (i > 0) out += ',';
        out += times[i];
    }
    out += ']';
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

void append_api_stats(std::string& out, const stats_accumulator& records) {
    const stats_totals& totals = records.totals();
    out += R"({"total_requests":)";
    out += std::to_string(totals.requests);
    out += R"(,"endpoints":)";
    append_counts(out, totals.request_endpoints);
    out += R"(,"methods":)";
    append_counts(out, totals.request_methods);
    out += R"(,"status_codes":)";
    append_counts(out, totals.response_status_codes);
    out += R"(,"avg_response_time":)";
    out += mean_text(totals.duration_sum_us, totals.durations.count());
    out += R"(,"response_times":)";
    append_response_times(out, records.response_times());
    out += R"(,"response_time_percentiles":)";
    append_percentiles(out, totals.durations);
    out += '}';
}

void append_error_summary(std::string& out, const stats_totals& totals) {
    out += R"({"total_errors":)";
    out += std::to_string(totals.errors);
    out += R"(,"error_types":)";
    append_counts(out, totals.error_types);
    out += R"(,"endpoints_with_errors":)";
    append_counts(out, totals.error_endpoints);
    out += R"(,"status_codes":)";
    append_counts(out, totals.error_status_codes);
    out += '}';
}

}  // namespace

std::string milliseconds_text(std::uint64_t us) {
    return decimal_text(us, 3);
}

std::string mean_text(wide_count sum_us, std::uint64_t count) {
    if (count == 0) return "0";
    constexpr unsigned us_per_unit = 10;  // of a hundredth of a millisecond
    const wide_count divisor = wide_count{count} * us_per_unit;
    return decimal_text(static_cast<std::uint64_t>((sum_us + divisor / 2) / divisor), 2);
}

std::string stats_text(const stats_accumulator& records, double timeframe_hours, std::string_view daemon) {
    std::string out = R"({"api_stats":)";
    append_api_stats(out, records);
    out += R"(,"error_summary":)";
    append_error_summary(out, records.totals());
    out += R"(,"timeframe_hours":)";
    append_number(out, timeframe_hours);
    out += R"(,"total_logs":)";
    out += std::to_string(records.totals().logs);
    if (!daemon.empty()) out.append(R"(,"daemon":)").append(daemon);
    out += "}\n";
    return out;
}

}  // namespace livelogd::query
