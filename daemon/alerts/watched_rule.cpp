// SPDX-License-Identifier: MIT
#include "daemon/alerts/watched_rule.hpp"

#include "daemon/alerts/message.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

namespace livelogd::alerts {
namespace {

std::int64_t now_us() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this machine";
}

/// Records about alerts are no reason for alerts: a rule that they fit would fire for ever. This is how
/// the daemon writes them; within a string of somebody else's the quotes would be escaped.
bool is_about_alerts(std::string_view line) {
    return line.find(R"("module":"livelogd","type":"livelogd","event":"alert_)") != std::string_view::npos;
}

}  // namespace

watched_rule::watched_rule(alert_rule rule, const base::time_zone& zone,
                           const net::asio::any_io_executor& executor, record_sink record,
                           alert_counts& count, patience times)
    : rule_(std::move(rule)),
      filter_(rule_.words, now_us(), zone),
      hits_(rule_.threshold, rule_.window, rule_.quiet),
      record_(std::move(record)),
      count_(count) {
    if (rule_.webhook.empty()) return;
    auto url = webhook_url::parse(rule_.webhook);
    auto failed = [sink = record_, name = rule_.name, origin = url.origin()](const std::string& why) {
        sink("alert_undelivered", "alert '" + name + "' could not be told to " + origin + ": " + why,
             {{"alert", name}, {"webhook", origin}, {"reason", why}});
    };
    delivery_ =
        std::make_shared<delivery>(executor, std::move(url), rule_.timeout, times, count_, std::move(failed));
}

void watched_rule::look_at(protocol::record_id id, const filter::record_view& view,
                           hit_window::clock::time_point now) {
    if (!filter_.matches(view) || is_about_alerts(view.line)) return;
    if (const auto fired = hits_.note(id, now)) fire(*fired, view.line);
}

void watched_rule::fire(const firing& fired, std::string_view record) {
    count_.fired.fetch_add(1, std::memory_order_relaxed);
    record_("alert_fired", sentence_of(rule_, fired), fields_of(rule_, fired));
    if (delivery_) delivery_->post(webhook_body(rule_, fired, now_us(), host_name(), record));
}

void watched_rule::stop() {
    if (delivery_) delivery_->stop();
}

}  // namespace livelogd::alerts
