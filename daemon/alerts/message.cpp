// SPDX-License-Identifier: MIT
#include "daemon/alerts/message.hpp"

#include "daemon/alerts/webhook_url.hpp"
#include "protocol/elide.hpp"
#include "protocol/timestamp.hpp"

#include <boost/json/serialize.hpp>

namespace livelogd::alerts {
namespace {

/// Of a string in the record that goes along, bytes.
constexpr std::size_t longest_string = 1024;

std::string readable(std::chrono::milliseconds time) {
    const auto ms = time.count();
    if (ms % 60'000 == 0 && ms > 0) return std::to_string(ms / 60'000) + " min";
    if (ms % 1'000 == 0) return std::to_string(ms / 1'000) + " s";
    return std::to_string(ms) + " ms";
}

double seconds(std::chrono::milliseconds time) {
    return static_cast<double>(time.count()) / 1000;
}

/// What the record in the log and the webhook tell alike.
void add_counts(boost::json::object& to, const alert_rule& rule, const firing& fired) {
    to["threshold"] = rule.threshold;
    to["window_seconds"] = seconds(rule.window);
    to["matched"] = fired.hits;
    to["first_id"] = fired.first;
    to["last_id"] = fired.last;
}

}  // namespace

std::string sentence_of(const alert_rule& rule, const firing& fired) {
    auto text = "alert '" + rule.name + "': ";
    text += rule.threshold == 1 ? "a record"
                                : std::to_string(rule.threshold) + " records within " + readable(rule.window);
    text += " (" + describe(rule.words) + ")";
    if (fired.hits > rule.threshold) text += "; " + std::to_string(fired.hits) + " since the last time";
    return text;
}

boost::json::object fields_of(const alert_rule& rule, const firing& fired) {
    boost::json::object fields{{"alert", rule.name}};
    add_counts(fields, rule, fired);
    if (!rule.webhook.empty()) fields["webhook"] = webhook_url::parse(rule.webhook).origin();
    return fields;
}

std::string webhook_body(const alert_rule& rule, const firing& fired, std::int64_t now_us,
                         std::string_view host, std::string_view record) {
    const auto sentence = "livelogd on " + std::string(host) + ": " + sentence_of(rule, fired);
    boost::json::object body{{"alert", rule.name},
                             {"text", sentence},
                             {"host", host},
                             {"time", protocol::format_timestamp(now_us, 0)},
                             {"filter", describe(rule.words)}};
    add_counts(body, rule, fired);
    auto text = boost::json::serialize(body);
    if (!rule.include_record || record.empty()) return text;
    // As it is stored: what a JSON library writes anew is not always what was sent.
    text.back() = ',';
    text += "\"record\":";
    protocol::append_elided(text, record, "", longest_string);
    text += '}';
    return text;
}

}  // namespace livelogd::alerts
