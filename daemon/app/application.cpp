// SPDX-License-Identifier: MIT
#include "daemon/app/application.hpp"

#include "daemon/alerts/watch.hpp"
#include "daemon/app/alert_recorder.hpp"
#include "daemon/app/configuration.hpp"
#include "daemon/app/exit_code.hpp"
#include "daemon/app/heartbeat.hpp"
#include "daemon/app/option_table.hpp"
#include "daemon/app/socket_place.hpp"
#include "daemon/http/auth/authenticator.hpp"
#include "daemon/http/endpoints.hpp"
#include "daemon/http/server.hpp"
#include "daemon/ingest/own_record.hpp"
#include "daemon/ingest/server.hpp"
#include "daemon/summary/summary_keeper.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/strand.hpp>

#include <grp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace livelogd::app {
namespace {

using namespace std::chrono_literals;
namespace asio = net::asio;

// The phases of a stop add up to less than the five seconds that are promised.
constexpr auto drain_time = 2s;      ///< senders' last bytes are taken in
constexpr auto store_time = 1500ms;  ///< they are stored, if storing fails at first
constexpr auto farewell_time = 1s;   ///< streams end

storage::log_limits log_limits_of(const settings& all) {
    return {.segment_max_bytes = all.log_max_bytes,
            .backup_count = all.log_backup_count,
            .total_bytes = all.log_total_bytes,
            .max_age = all.log_max_age,
            .compress = all.log_compress};
}

storage::log_options log_options_of(const settings& all) {
    storage::log_options options;
    static_cast<storage::log_limits&>(options) = log_limits_of(all);
    options.directory = all.log_dir;
    options.sync = all.sync;
    options.sync_interval = all.sync_interval;
    // A sync is under way long before.
    options.unsynced_max_bytes = std::min(all.unwritten_max_bytes, 2 * options.sync_bytes);
    return options;
}

/// What is stored a moment later needs no long queue: so much comes in within 20 ms when it comes as fast as
/// it can.
ingest::gate::limits pending_limits_of(const settings& all) {
    constexpr std::uint64_t enough_while_flowing = 8u << 20;
    return {.flowing = std::min(all.unwritten_max_bytes, enough_while_flowing),
            .failing = all.unwritten_max_bytes};
}

std::shared_ptr<const ingest::policy> policy_of(const settings& all, const base::time_zone& zone) {
    return std::make_shared<const ingest::policy>(
        ingest::policy{.redact = protocol::redaction_keys(all.redact_keys),
                       .log_api_calls = all.log_api_calls,
                       .zone = zone,
                       .secrets = all.redact_secrets ? protocol::secret_shapes(all.redact_secrets_except)
                                                     : protocol::secret_shapes::none(),
                       .bodies = {.how = all.log_bodies, .limit = all.log_body_bytes}});
}

std::shared_ptr<const http::access_rules> access_of(const settings& all) {
    return std::make_shared<const http::access_rules>(http::access_rules{
        all.allowed_hosts, all.cors_allowed_origins, http::trusted_proxies(all.trusted_proxies)});
}

http::session_times session_times_of(const settings& all) {
    return {all.session_ttl, all.session_idle_timeout};
}

net::socket_access socket_access_of(const settings& all) {
    net::socket_access access;
    access.mode = static_cast<mode_t>(all.socket_mode);
    if (!all.socket_group.empty()) {
        const group* entry = ::getgrnam(all.socket_group.c_str());
        if (entry != nullptr) access.group = entry->gr_gid;
    }
    return access;
}

/// The socket that was passed, or one that is made where the settings say.
net::listen_socket ingest_socket(const settings& all, std::optional<net::listen_socket>& passed,
                                 const base::report_sink& report) {
    if (passed) {
        if (!all.socket.empty() && all.socket != passed->address().host) {
            report(base::severity::warning,
                   "socket: " + all.socket + " is not made, the service manager has passed "
                       + passed->address().host + " instead (change the socket unit)");
        }
        return std::move(*passed);
    }
    net::listen_address address;
    address.kind = net::listen_address::family::local;
    address.host = all.socket.empty() ? default_socket_path() : all.socket;
    return net::listen_socket::open(address, socket_access_of(all));
}

/// What has been passed, and what the settings name beyond that. The default address is not taken where
/// others have been passed.
std::vector<net::listen_socket> http_sockets(const settings& all, std::vector<net::listen_socket> passed) {
    std::vector<std::string> open;
    for (const auto& socket : passed) {
        try {
            check_reach(all, socket.address());
        } catch (const std::invalid_argument& error) {
            throw configuration_error(bad_configuration,
                                      std::string("a socket that was passed on: ") + error.what());
        }
        open.push_back(socket.address().text());
    }
    const bool is_default = all.listen == split_list(find_option("listen")->default_value);
    if (is_default && !passed.empty()) return passed;
    for (const auto& text : all.listen) {
        const auto address = net::listen_address::parse(text);
        if (std::ranges::find(open, address.text()) != open.end()) continue;
        passed.push_back(net::listen_socket::open(address, socket_access_of(all)));
    }
    return passed;
}

http::session_limits limits_of(const settings& all) {
    return {all.header_limit, all.header_timeout, all.stall_timeout};
}

http::daemon_facts facts_of(const settings& all) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    return {static_cast<std::uint64_t>(seconds), all.max_ingest_connections, all.max_http_connections};
}

std::string display(const net::listen_address& address) {
    if (address.kind == net::listen_address::family::local) return address.text();
    return "http://" + address.text() + http::viewer_path;
}

}  // namespace

/// Members are in the order of their dependencies: each may refer to those above it.
struct application::parts {
    parts(settings initial, settings_source source, passed_sockets passed, service_manager told,
          base::report_sink sink)
        : now(std::move(initial)),
          reload(std::move(source)),
          manager(std::move(told)),
          report(std::move(sink)),
          zone(now.timezone.empty() ? base::time_zone::system() : base::time_zone::named(now.timezone)),
          rules(policy_of(now, zone)),
          access(access_of(now)),
          who({session_times_of(now), now.auth_unix_sockets}, report),
          budget(now.ingest_buffer_bytes),
          log(log_options_of(now), report),
          summaries(now.summaries, zone),
          keeper(log, summaries, zone, report),
          context(static_cast<int>(now.threads)),
          workers(now.scan_threads),
          live_workers(1),
          matches(live_workers),
          live(context, now.ring_bytes, log.snapshot().next_id),
          files(log),
          to_log(log, live, rules, pending_limits_of(now), count),
          senders(context, ingest_socket(now, passed.ingest, report),
                  ingest::session_context{to_log, rules, budget, count, now.max_record_bytes, report},
                  now.max_ingest_connections, report),
          routes(http::make_router(
              {log,
               {log, live, files, matches, lines, zone, workers, live_workers, stopping.get_token(), served},
               rules,
               count,
               lines,
               zone,
               now.stall_timeout,
               now.orphan_after,
               facts_of(now),
               &summaries,
               now.scan_threads,
               &alert_count,
               &who})),
          clients(context, routes, access, who, limits_of(now), now.max_http_connections, served, report),
          alert_records(to_log, rules, report),
          alarms(
              {log, live, files, zone},
              [this](std::string_view event, std::string_view message, const boost::json::object& fields) {
                  alert_records.record(event, message, fields);
              },
              report, alert_count),
          control(asio::make_strand(context)),
          stop_signals(control, SIGTERM, SIGINT),
          reload_signal(control, SIGHUP),
          pulse(control, manager, [this] { return state(); }) {
        who.set_token(load_token(now));
        for (auto& socket : http_sockets(now, std::move(passed.http))) {
            addresses.push_back(display(socket.address()));
            clients.listen_on(std::move(socket));
        }
    }

    void start();
    void record_recovery();
    void wait_for_signals();
    void wait_for_reload();
    void take_new_settings();
    void stop();
    void stop_storing();
    void say_farewell();
    int outcome();
    [[nodiscard]] daemon_state state() const;

    settings now;
    settings_source reload;
    service_manager manager;
    base::report_sink report;
    base::time_zone zone;
    ingest::current_policy rules;
    http::current_access access;
    http::authenticator who;
    ingest::counters count;
    http::client_counters served;
    alerts::alert_counts alert_count;
    ingest::line_budget budget;
    storage::log log;
    summary::summaries summaries;
    summary::summary_keeper keeper;
    std::stop_source stopping;
    asio::io_context context;
    net::worker_pool workers;
    net::worker_pool live_workers;
    storage::line_counts lines;
    live::shared_matches matches;
    live::broadcaster live;
    live::catch_up files;
    ingest::pipeline to_log;
    ingest::server senders;
    http::router routes;
    http::server clients;
    std::vector<std::string> addresses;
    alert_recorder alert_records;
    alerts::watch alarms;
    asio::any_io_executor control;  ///< the strand of life cycle decisions
    asio::signal_set stop_signals;
    asio::signal_set reload_signal;
    heartbeat pulse;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
    bool is_stopping = false;
    std::thread storing_end;  ///< waits for the log to stop: that blocks
    std::thread alerts_end;   ///< waits for receivers of alerts
    storage::log::stop_result stopped;
};

application::application(settings initial, settings_source reload, passed_sockets passed,
                         service_manager manager, base::report_sink report)
    : parts_(std::make_unique<parts>(std::move(initial), std::move(reload), std::move(passed),
                                     std::move(manager), std::move(report))) {}

application::~application() = default;

int application::run() {
    auto& p = *parts_;
    p.start();
    std::vector<std::thread> threads;
    for (std::uint64_t i = 1; i < p.now.threads; ++i)
        threads.emplace_back([&p] { p.context.run(); });
    p.context.run();
    for (auto& thread : threads)
        thread.join();
    if (p.storing_end.joinable()) p.storing_end.join();
    if (p.alerts_end.joinable()) p.alerts_end.join();
    p.workers.join();
    p.live_workers.join();
    return p.outcome();
}

/// The exit code; what could not be stored is told.
int application::parts::outcome() {
    const auto why = log.trouble().value_or(
        stopped.hangs || stopped.unstored_records > 0 ? "the disk was too slow" : "a sync has failed before");
    if (stopped.unstored_records > 0) {
        report(base::severity::error, std::to_string(stopped.unstored_records)
                                          + " accepted records could not be stored and are lost: " + why);
    }
    if (stopped.unsynced) {
        const auto which = stopped.unsynced_records > 0
                               ? std::to_string(stopped.unsynced_records) + " records are"
                               : std::string("what was stored last is");
        report(
            base::severity::error,
            which + " in the log's files, but could not be synced and may not survive a power cut: " + why);
    }
    const int code = stopped.unstored_records > 0 || stopped.unsynced ? io_error : success;
    // A call that does not return cannot be waited for, and ending in the ordinary way would wait for it.
    if (stopped.hangs) ::_exit(code);
    return code;
}

void application::parts::start() {
    work.emplace(context.get_executor());
    wait_for_signals();
    wait_for_reload();
    log.start(to_log);
    record_recovery();
    keeper.start();
    alarms.set_rules(now.alert_rules);
    senders.start();
    clients.start();
    report(base::severity::info, "taking records on " + senders.address().text());
    for (const auto& address : addresses)
        report(base::severity::info, "listening on " + address);
    manager.ready();
    pulse.start();
}

daemon_state application::parts::state() const {
    return {count.stored.load(std::memory_order_relaxed), count.connections.load(std::memory_order_relaxed),
            served.streams.load(std::memory_order_relaxed), log.trouble(),
            count.waiting.load(std::memory_order_relaxed)};
}

/// The log has told the operator; whoever reads the log has to know as well.
void application::parts::record_recovery() {
    const auto& done = log.recovered();
    const auto next_id = log.snapshot().next_id;
    if (done.torn_bytes > 0) {
        auto message = "the end of a log file was torn: " + std::to_string(done.torn_bytes) + " bytes ";
        boost::json::object fields{{"torn_bytes", done.torn_bytes}};
        if (done.cut_failure.empty()) {
            message += "were cut off and are kept in " + done.torn_file.filename().string();
            fields["kept_in"] = done.torn_file.filename().string();
        } else {
            message += "could not be cut off and stay where they were: " + done.cut_failure;
            fields["cut_failed"] = done.cut_failure;
        }
        to_log.submit(ingest::own_record("tail_cut", message, fields, *rules.load()));
    }
    if (done.jumped_from) {
        const auto message = "the last stop may have lost records that readers have seen: ids go on at "
                             + std::to_string(next_id) + " instead of " + std::to_string(*done.jumped_from);
        boost::json::object fields{{"expected_id", *done.jumped_from}, {"next_id", next_id}};
        to_log.submit(ingest::own_record("ids_jumped", message, fields, *rules.load()));
    }
}

void application::parts::wait_for_signals() {
    stop_signals.async_wait([this](const net::error_code& error, int) {
        if (error) return;
        if (std::exchange(is_stopping, true)) {
            // The second time is an order: what is not stored by now is lost, and the next start lets ids
            // jump.
            report(base::severity::error, "told twice to stop: ending at once");
            ::_exit(io_error);
        }
        stop();
        wait_for_signals();
    });
}

void application::parts::wait_for_reload() {
    reload_signal.async_wait([this](const net::error_code& error, int) {
        if (error) return;
        // What is about to end takes nothing new: its parts are being ended by other threads.
        if (!is_stopping) {
            manager.reloading();
            take_new_settings();
            manager.ready();
        }
        wait_for_reload();
    });
}

void application::parts::take_new_settings() {
    settings fresh;
    settings next = now;  // what will be in force: in part what was
    std::optional<std::string> token;
    try {
        fresh = reload();
        for (const option& o : option_table())
            if (o.take != nullptr) o.take(next, fresh);
        next.alert_rules = fresh.alert_rules;
        token = load_token(next);
        // What has been read is sound in itself; a wildcard that is fine with the token that the next start
        // asks for is not fine now.
        check_settings(next);
    } catch (const std::exception& error) {
        report(base::severity::error, std::string("the configuration stays as it was: ") + error.what());
        return;
    }
    std::string waiting;
    for (const auto name : changed_options(next, fresh))
        waiting += (waiting.empty() ? "" : ", ") + std::string(name);
    now = std::move(next);
    rules.store(policy_of(now, zone));
    access.store(access_of(now));
    alarms.set_rules(now.alert_rules);
    who.set_times(session_times_of(now));
    who.set_token(token);
    log.set_limits(log_limits_of(now));
    report(base::severity::info, "configuration reloaded");
    if (!waiting.empty()) report(base::severity::warning, "these changes wait for a restart: " + waiting);
}

void application::parts::stop() {
    report(base::severity::info, "stopping");
    manager.stopping();
    clients.stop_accepting();
    stopping.request_stop();
    senders.stop(std::chrono::steady_clock::now() + drain_time, [this] { stop_storing(); });
}

void application::parts::stop_storing() {
    alert_records.close();
    storing_end = std::thread([this] {
        stopped = log.stop(store_time, store_time);
        to_log.stored().close();
        senders.finish([this] { asio::post(control, [this] { say_farewell(); }); });
    });
}

void application::parts::say_farewell() {
    live.close();
    alerts_end = std::thread([this] { alarms.stop(std::chrono::steady_clock::now() + farewell_time); });
    clients.stop(farewell_time, [this] {
        asio::post(control, [this] {
            reload_signal.cancel();
            stop_signals.cancel();
            pulse.stop();
            work.reset();
            context.stop();
        });
    });
}

}  // namespace livelogd::app
