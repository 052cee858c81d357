// SPDX-License-Identifier: MIT
#include "daemon/app/alert_settings.hpp"

#include "daemon/alerts/webhook_url.hpp"
#include "daemon/app/configuration.hpp"
#include "daemon/app/exit_code.hpp"
#include "daemon/app/option_values.hpp"
#include "daemon/base/time_zone.hpp"
#include "daemon/filter/record_filter.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>
#include <string_view>

namespace livelogd::app {
namespace {

using namespace std::chrono_literals;

/// Longest name of a rule, characters: it goes into messages.
constexpr std::size_t longest_name = 100;

[[noreturn]] void refuse(const std::string& place, const std::string& why) {
    throw configuration_error(bad_configuration, place + ": " + why);
}

/// `since` and `until` would be times before the daemon looked.
bool is_filter_key(std::string_view key) {
    if (key == "since" || key == "until") return false;
    return std::ranges::find(filter::filter_parameters(), key) != filter::filter_parameters().end();
}

const std::string& one(const file_value& given) {
    if (given.values.size() != 1) throw std::invalid_argument("takes one value, not a list");
    return given.values.front();
}

/// False if there is no such key.
bool read_key(alerts::alert_rule& rule, std::string_view key, const file_value& given) {
    if (is_filter_key(key)) {
        filter::values_of(rule.words, key) = given.values;
    } else if (key == "name") {
        rule.name = one(given);
    } else if (key == "threshold") {
        rule.threshold = read_number(one(given), 1, alerts::max_threshold);
    } else if (key == "window") {
        rule.window = read_duration(one(given), 1ms);
    } else if (key == "quiet") {
        rule.quiet = read_duration(one(given), 0ms);
    } else if (key == "webhook") {
        rule.webhook = one(given);
        if (!rule.webhook.empty()) alerts::webhook_url::parse(rule.webhook);
    } else if (key == "timeout") {
        rule.timeout = read_duration(one(given), 10ms);
    } else if (key == "include_record") {
        rule.include_record = read_boolean(one(given));
    } else {
        return false;
    }
    return true;
}

void check_name(const std::string& name, const std::string& place) {
    const bool is_plain =
        std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (name.empty() || name.size() > longest_name || !is_plain) {
        refuse(place, "name: must have 1 to " + std::to_string(longest_name) + " characters, on one line");
    }
}

}  // namespace

alerts::alert_rule read_alert(const file_values& table) {
    alerts::alert_rule rule;
    for (const auto& [key, given] : table) {
        if (key.empty()) continue;
        try {
            if (!read_key(rule, key, given)) {
                refuse(given.place,
                       "there is no such key (name, threshold, window, quiet, webhook, timeout, "
                       "include_record, and "
                       "the filters type, level, endpoint, method, status, request_id, model, search, q)");
            }
        } catch (const std::invalid_argument& error) {
            refuse(given.place, error.what() + (", not " + quote_all(given.values)));
        }
    }
    check_name(rule.name, table.find("")->second.place);
    return rule;
}

void check_alerts(const std::vector<alerts::alert_rule>& rules, const std::vector<file_values>& tables) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (!names.insert(rules[i].name).second) {
            refuse(tables[i].find("name")->second.place,
                   "another alert has the name '" + rules[i].name + "' already");
        }
        try {
            const filter::record_filter understood(rules[i].words, 0, base::time_zone::system());
        } catch (const filter::filter_error& error) {
            refuse(tables[i].find(error.parameter())->second.place, error.what());
        }
    }
}

std::string show_alert(const alerts::alert_rule& rule) {
    std::string text = "[[alert]]\nname = " + show_text(rule.name) + "\n";
    for (const auto name : filter::filter_parameters()) {
        const auto& values = filter::values_of(rule.words, name);
        if (!values.empty()) text += std::string(name) + " = " + show_list(values) + "\n";
    }
    text += "threshold = " + std::to_string(rule.threshold) + "\n";
    text += "window = " + show_duration(rule.window) + "\n";
    text += "quiet = " + show_duration(rule.quiet) + "\n";
    text += "webhook = " + show_text(rule.webhook) + "\n";
    text += "timeout = " + show_duration(rule.timeout) + "\n";
    text += std::string("include_record = ") + (rule.include_record ? "true" : "false") + "\n";
    return text;
}

std::string alert_explanation() {
    return R"(
# Alerts, as many as there are tables like this one, after all options. Each fires when `threshold` records that
# fit have come within `window`, and is then silent for `quiet`; it writes a record into the log, and tells
# `webhook`, if there is one, by POST. The filters are those of the HTTP API.
#
# [[alert]]
# name = "errors"
# type = "errors"
# q = "-endpoint:/healthz"
# threshold = 5
# window = "1min"
# quiet = "10min"
# webhook = "https://hooks.example.org/services/1234"
# timeout = "10s"
# include_record = false
)";
}

}  // namespace livelogd::app
