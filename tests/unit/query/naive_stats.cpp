// SPDX-License-Identifier: MIT
#include "tests/unit/query/naive_stats.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <optional>

namespace livelogd::query::test {
namespace {

namespace json = boost::json;

struct entry {
    json::object fields;
    std::string line;
    std::optional<std::int64_t> time;
};

const json::value* member(const json::object& object, json::string_view key) {
    return object.if_contains(key);
}

/// What stands behind the key in the line: the tree does not keep the spelling of numbers.
std::string spelled(const std::string& line, const std::string& key) {
    const std::size_t begin = line.find("\"" + key + "\":") + key.size() + 3;
    return line.substr(begin, line.find_first_of(",}", begin) - begin);
}

std::optional<std::int64_t> read_time(const json::object& fields, std::int64_t zone_offset_s) {
    const json::value* told = member(fields, "timestamp");
    if (told == nullptr || !told->is_string()) return std::nullopt;
    const std::string text(told->as_string().c_str());
    std::tm wall{};
    int microseconds = 0;
    char offset[8] = "";
    const int read =
        std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%6d%7s", &wall.tm_year, &wall.tm_mon,
                    &wall.tm_mday, &wall.tm_hour, &wall.tm_min, &wall.tm_sec, &microseconds, offset);
    if (read < 7) return std::nullopt;
    wall.tm_year -= 1900;
    wall.tm_mon -= 1;
    std::int64_t offset_s = zone_offset_s;
    if (offset[0] == 'Z') offset_s = 0;
    int hours = 0;
    int minutes = 0;
    if (std::sscanf(offset, "%3d:%2d", &hours, &minutes) == 2)
        offset_s = hours * 3600 + (hours < 0 ? -minutes : minutes) * 60;
    return (::timegm(&wall) - offset_s) * 1'000'000 + microseconds;
}

std::vector<entry> read_segment(const std::vector<std::string>& lines, std::int64_t zone_offset_s) {
    std::vector<entry> entries;
    for (const std::string& line : lines) {
        json::error_code failed;
        json::value value = json::parse(line, failed);
        if (failed || !value.is_object()) continue;
        entries.push_back({value.as_object(), line, read_time(value.as_object(), zone_offset_s)});
    }
    // The nearest earlier time, else the nearest later one, looked for record by record.
    std::vector<std::optional<std::int64_t>> settled;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        std::optional<std::int64_t> time;
        for (std::size_t j = i + 1; j-- > 0 && !time;)
            time = entries[j].time;
        for (std::size_t j = i + 1; j < entries.size() && !time; ++j)
            time = entries[j].time;
        settled.push_back(time);
    }
    for (std::size_t i = 0; i < entries.size(); ++i)
        entries[i].time = settled[i];
    return entries;
}

bool is_error(const json::object& fields) {
    if (const auto* level = member(fields, "level"); level != nullptr && level->is_string())
        if (level->as_string() == "ERROR" || level->as_string() == "CRITICAL") return true;
    const auto* status = member(fields, "status_code");
    return status != nullptr && status->is_number() && status->to_number<double>() >= 400;
}

bool has_type(const json::object& fields, const std::string& type) {
    const auto* told = member(fields, "type");
    return told != nullptr && told->is_string() && told->as_string() == type;
}

bool passes(const json::object& fields, const std::string& type) {
    if (type == "all") return true;
    if (type == "errors") return is_error(fields);
    if (type == "api") return has_type(fields, "request") || has_type(fields, "response");
    return has_type(fields, type);
}

std::optional<std::string> name_of(const entry& e, const std::string& key) {
    const auto* value = member(e.fields, key);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return std::string(value->as_string().c_str());
    if (value->is_number() || value->is_bool()) return spelled(e.line, key);
    return std::nullopt;
}

void count(naive_counts& counts, const entry& e, const std::string& key) {
    if (const auto name = name_of(e, key)) ++counts[*name];
}

std::string text_in(const json::object& fields, const std::string& key) {
    const auto* value = member(fields, key);
    return value != nullptr && value->is_string() ? value->as_string().c_str() : "";
}

std::string text_in(const json::object& fields, const std::string& outer, const std::string& key) {
    const auto* value = member(fields, outer);
    return value != nullptr && value->is_object() ? text_in(value->as_object(), key) : "";
}

/// A flat key, whatever its value is, stands before the nested one.
std::string flat_or_nested(const json::object& fields, const std::string& outer) {
    if (member(fields, outer + ".type") != nullptr) return text_in(fields, outer + ".type");
    return text_in(fields, outer, "type");
}

std::string error_type(const entry& e) {
    const json::object& fields = e.fields;
    for (const auto& told : {text_in(fields, "error_type"), flat_or_nested(fields, "exception"),
                             flat_or_nested(fields, "error"), text_in(fields, "response_body", "error_type")})
        if (!told.empty()) return told;
    const auto* status = member(fields, "status_code");
    if (status != nullptr && status->is_number()) return "HTTP " + spelled(e.line, "status_code");
    return "unknown";
}

}  // namespace

naive_stats count_naively(const std::vector<std::vector<std::string>>& segments, const naive_window& window) {
    naive_stats stats;
    for (const auto& segment : segments)
        for (const entry& e : read_segment(segment, window.zone_offset_s)) {
            if (e.time && *e.time < window.begin_us) continue;
            if (!passes(e.fields, window.type)) continue;
            ++stats.total_logs;
            if (has_type(e.fields, "request")) {
                ++stats.total_requests;
                count(stats.endpoints, e, "endpoint");
                count(stats.methods, e, "method");
            }
            if (has_type(e.fields, "response")) {
                count(stats.status_codes, e, "status_code");
                const auto* duration = member(e.fields, "duration_ms");
                if (duration != nullptr && duration->is_number() && duration->to_number<double>() >= 0) {
                    stats.durations.push_back(duration->to_number<double>());
                    stats.duration_texts.push_back(spelled(e.line, "duration_ms"));
                }
            }
            if (is_error(e.fields)) {
                ++stats.total_errors;
                ++stats.error_types[error_type(e)];
                count(stats.error_endpoints, e, "endpoint");
                count(stats.error_status_codes, e, "status_code");
            }
        }
    return stats;
}

std::vector<std::pair<std::string, std::uint64_t>> shown(const naive_counts& counts, std::size_t most) {
    std::vector<std::pair<std::string, std::uint64_t>> all(counts.begin(), counts.end());
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    if (all.size() <= most) return all;
    std::uint64_t rest = 0;
    for (; all.size() > most; all.pop_back())
        rest += all.back().second;
    all.emplace_back("(other)", rest);
    return all;
}

}  // namespace livelogd::query::test
