// SPDX-License-Identifier: MIT
#include "daemon/alerts/watch.hpp"

#include "daemon/alerts/watched_rule.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

namespace livelogd::alerts {
namespace {

using clock = std::chrono::steady_clock;
using live::pulled;

/// After the files could not be read.
constexpr auto trouble_pause = std::chrono::seconds(1);

/// How often a stop looks whether the attempts under way are over.
constexpr auto stop_step = std::chrono::milliseconds(20);

}  // namespace

/// The members below `thread_` belong to its thread.
class watch::session {
  public:
    session(const watch_sources& sources, base::report_sink report)
        : sources_(sources),
          report_(std::move(report)),
          work_(context_.get_executor()),
          timer_(context_),
          subscription_(sources_.live.subscribe(context_.get_executor())),
          position_(sources_.log.snapshot().next_id - 1) {}

    ~session() {
        stopping_.request_stop();
        context_.stop();
        if (thread_.joinable()) thread_.join();
    }

    void start() {
        auto loop = [this]() -> net::awaitable<void> { co_await follow(); };
        net::asio::co_spawn(context_, std::move(loop), [this](const std::exception_ptr& error) {
            try {
                if (error) std::rethrow_exception(error);
            } catch (const std::exception& e) {
                report_(base::severity::error, std::string("alerts are no longer watched for: ") + e.what());
            }
        });
        thread_ = std::thread([this] { context_.run(); });
    }

    void set_rules(std::vector<std::shared_ptr<watched_rule>> fresh) {
        net::asio::post(context_, [this, fresh = std::move(fresh)]() mutable {
            for (auto& rule : fresh) {
                const auto same = std::ranges::find_if(
                    rules_, [&](const auto& old) { return old->rule() == rule->rule(); });
                if (same != rules_.end()) rule = *same;
            }
            rules_ = std::move(fresh);
        });
    }

    void stop(clock::time_point deadline) {
        stopping_.request_stop();
        net::asio::post(context_, [this, deadline] { end(deadline); });
        thread_.join();
    }

    [[nodiscard]] net::asio::any_io_executor executor() { return context_.get_executor(); }

  private:
    net::awaitable<void> follow();
    void look_through(const live::event_batch& batch);
    void end(clock::time_point deadline);
    bool catch_up();

    const watch_sources sources_;
    const base::report_sink report_;
    std::stop_source stopping_;
    net::asio::io_context context_{1};
    net::asio::executor_work_guard<net::asio::io_context::executor_type> work_;
    std::thread thread_;
    net::asio::steady_timer timer_;
    live::subscription subscription_;
    protocol::record_id position_;  ///< everything up to here has been looked at
    std::vector<std::shared_ptr<watched_rule>> rules_;
    bool trouble_told_ = false;
};

net::awaitable<void> watch::session::follow() {
    while (!stopping_.stop_requested()) {
        auto news = co_await subscription_.async_pull(position_, clock::time_point::max(), false,
                                                      net::asio::use_awaitable);
        if (news.what == pulled::outcome::closing) break;
        for (const auto& batch : news.batches)
            look_through(*batch);
        if (news.what != pulled::outcome::behind) continue;
        const bool read = catch_up();
        if (read) continue;
        timer_.expires_after(trouble_pause);
        co_await timer_.async_wait(net::as_result);
    }
}

/// Blocks: this thread is for that. False if the files could not be read.
bool watch::session::catch_up() {
    try {
        auto batch = sources_.files.find(position_);
        if (!batch) {
            auto next = sources_.files.read(position_, stopping_.get_token());
            if (next.gap) {
                report_(base::severity::warning,
                        "alerts: records " + std::to_string(next.gap->from) + " to " + std::to_string(next.gap->to)
                            + " were removed before they could be looked at (log_backup_count is small for the load)");
            }
            if (!next.batch) position_ = next.position;
            batch = std::move(next.batch);
        }
        if (batch) look_through(*batch);
        trouble_told_ = false;
        return true;
    } catch (const std::exception& error) {
        if (!std::exchange(trouble_told_, true))
            report_(base::severity::error, std::string("alerts: the log cannot be read: ") + error.what());
        return false;
    }
}

void watch::session::look_through(const live::event_batch& batch) {
    const auto now = clock::now();
    for (auto id = std::max(position_ + 1, batch.first_id()); id < batch.end_id(); ++id) {
        if (batch.frame(id).empty()) continue;  // no record
        const filter::record_view view{.line = batch.json(id), .digest = batch.digest(id)};
        for (const auto& rule : rules_)
            rule->look_at(id, view, now);
    }
    position_ = batch.end_id() - 1;
}

/// Ends the thread once no attempt is under way, or at the deadline.
void watch::session::end(clock::time_point deadline) {
    bool all_idle = true;
    for (const auto& rule : rules_) {
        rule->stop();
        all_idle = all_idle && rule->idle();
    }
    if (all_idle || clock::now() >= deadline) {
        context_.stop();
        return;
    }
    timer_.expires_after(stop_step);
    timer_.async_wait([this, deadline](const net::error_code&) { end(deadline); });
}

watch::watch(watch_sources sources, record_sink record, base::report_sink report, alert_counts& count,
             patience times)
    : sources_(sources),
      record_(std::move(record)),
      report_(std::move(report)),
      count_(count),
      times_(times) {}

watch::~watch() = default;

void watch::set_rules(std::vector<alert_rule> rules) {
    if (rules.empty() && !session_) return;
    auto next = session_ ? nullptr : std::make_unique<session>(sources_, report_);
    auto& target = session_ ? *session_ : *next;
    std::vector<std::shared_ptr<watched_rule>> watched;
    watched.reserve(rules.size());
    for (auto& rule : rules) {
        watched.push_back(std::make_shared<watched_rule>(std::move(rule), sources_.zone, target.executor(),
                                                         record_, count_, times_));
    }
    target.set_rules(std::move(watched));
    if (!next) return;
    next->start();
    session_ = std::move(next);
}

void watch::stop(clock::time_point deadline) {
    if (session_) session_->stop(deadline);
    session_.reset();
}

}  // namespace livelogd::alerts
