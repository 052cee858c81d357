// SPDX-License-Identifier: MIT
// GET /metrics: the daemon's own numbers, for Prometheus. Labels come from the daemon's tables alone.
#include "daemon/http/auth/authenticator.hpp"
#include "daemon/http/endpoints.hpp"
#include "daemon/http/metrics_text.hpp"
#include "daemon/http/parameters.hpp"
#include "daemon/http/process_numbers.hpp"
#include "protocol/level.hpp"
#include "protocol/secret_redaction.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace livelogd::http {
namespace {

using kind = metrics_text::kind;
using count = std::atomic<std::uint64_t>;

std::uint64_t read(const count& sum) {
    return sum.load(std::memory_order_relaxed);
}

/// A family of one sample.
void write_one(metrics_text& out, std::string_view name, kind what, std::string_view help,
               std::uint64_t value) {
    out.family(name, what, help);
    out.value(value);
}

void write_process(metrics_text& out, const daemon_facts& facts) {
    out.family("livelogd_build_info", kind::gauge, "1; the label tells the version of the program.");
    out.value(1, {{"version", LIVELOGD_VERSION}});
    write_one(out, "livelogd_process_start_time_seconds", kind::gauge,
              "When the daemon was started, since 1970.", facts.started);
    const auto own = process_numbers::now();
    if (own.resident_bytes) {
        write_one(out, "livelogd_process_resident_memory_bytes", kind::gauge, "Resident memory.",
                  *own.resident_bytes);
    }
    if (own.open_fds)
        write_one(out, "livelogd_process_open_fds", kind::gauge, "Open file descriptors.", *own.open_fds);
    if (own.max_fds) {
        write_one(out, "livelogd_process_max_fds", kind::gauge, "File descriptors that may be open.",
                  *own.max_fds);
    }
    if (own.cpu_microseconds) {
        out.family("livelogd_process_cpu_seconds_total", kind::counter,
                   "Processor time of all threads, user and system.");
        out.seconds(*own.cpu_microseconds);
    }
}

void write_ingest(metrics_text& out, const services& s) {
    const auto& counted = s.ingested;
    const auto sums = counted.now();
    // What a line is counted as has been read before the lines themselves: they are never the fewer.
    write_one(out, "livelogd_ingest_received_lines_total", kind::counter,
              "Lines that have come, without empty ones and hellos.", sums.lines);
    out.family("livelogd_ingest_lines_total", kind::counter,
               "Lines by what became of them. Together with livelogd_ingest_waiting_lines they add up to "
               "livelogd_ingest_received_lines_total once nothing is on its way.");
    out.value(sums.stored, {{"outcome", "stored"}});
    out.value(sums.deduplicated, {{"outcome", "deduplicated"}});
    out.value(sums.dropped_by_configuration, {{"outcome", "dropped_by_configuration"}});
    out.value(sums.unfinished, {{"outcome", "unfinished"}});
    write_one(out, "livelogd_ingest_waiting_lines", kind::gauge, "Lines taken and not yet written.",
              sums.waiting);
    write_one(out, "livelogd_ingest_malformed_lines_total", kind::counter,
              "Lines that became records about themselves: part of those stored and waiting.",
              sums.malformed);
    out.family(
        "livelogd_redactions_total", kind::counter,
        "Values redacted, by the rule that saw the secret; \"key\": because of its key (redact_keys).");
    for (std::size_t i = 0; i < counted.redactions.size(); ++i)
        out.value(read(counted.redactions[i]), {{"rule", protocol::redaction_name(i)}});
    write_one(out, "livelogd_ingest_bytes_total", kind::counter, "Bytes read from senders.",
              read(counted.bytes));
    write_one(out, "livelogd_ingest_connections", kind::gauge, "Connections of senders that are open.",
              read(counted.connections));
    write_one(out, "livelogd_ingest_connections_limit", kind::gauge,
              "Connections of senders that may be open (max_ingest_connections).",
              s.facts.max_ingest_connections);
    write_one(out, "livelogd_ingest_connections_total", kind::counter,
              "Connections of senders that were accepted.", read(counted.connected));
    write_one(out, "livelogd_ingest_other_users_connections_total", kind::counter,
              "Of these, the ones of another user than the daemon's own.", read(counted.of_other_users));
}

void write_log(metrics_text& out, const services& s) {
    const auto& counted = s.ingested;
    out.family("livelogd_log_records_total", kind::counter,
               "Records written to the log's files by severity, the daemon's own included.");
    for (std::size_t i = 0; i < protocol::level_count; ++i) {
        out.value(read(counted.by_severity[i]),
                  {{"level", protocol::level_name(static_cast<protocol::level>(i))}});
    }
    write_one(out, "livelogd_log_error_records_total", kind::counter,
              "Of these, the error records: level ERROR or above, or a status_code of 400 or above.",
              read(counted.error_records));
    write_one(out, "livelogd_log_own_records_total", kind::counter,
              "Of these, the daemon's own words, that nobody has sent.", read(counted.own_records));

    const auto snapshot = s.log.snapshot();
    std::uint64_t bytes = snapshot.active.bytes;
    std::uint64_t disk_bytes = snapshot.active.bytes;
    std::uint64_t compressed = 0;
    for (const auto& segment : *snapshot.sealed) {
        bytes += segment.bytes;
        disk_bytes += segment.disk_bytes();
        if (segment.is_compressed()) ++compressed;
    }
    write_one(out, "livelogd_log_bytes", kind::gauge,
              "Bytes of records in the log's files, before compression.", bytes);
    write_one(out, "livelogd_log_disk_bytes", kind::gauge,
              "Bytes that the log's files take, without summaries.", disk_bytes);
    write_one(out, "livelogd_log_compressed_segments", kind::gauge, "Files of the log that are compressed.",
              compressed);
    write_one(out, "livelogd_log_segments", kind::gauge, "Files of the log.", snapshot.sealed->size() + 1);
    write_one(out, "livelogd_log_oldest_id", kind::gauge, "The oldest id that can still be read.",
              snapshot.oldest_id());
    write_one(out, "livelogd_log_next_id", kind::gauge, "The id that the next record will be shown under.",
              snapshot.next_id);
    const auto numbers = s.log.numbers();
    write_one(out, "livelogd_log_pending_bytes", kind::gauge, "Bytes of records taken and not yet written.",
              s.log.pending_bytes());
    write_one(out, "livelogd_log_unsynced_bytes", kind::gauge,
              "Bytes of records written, and kept in memory until they survive a power cut.",
              numbers.unsynced_bytes);
    write_one(out, "livelogd_log_storing_failing", kind::gauge,
              "1 while records cannot be stored and wait in memory, else 0.", s.log.trouble() ? 1 : 0);
    write_one(out, "livelogd_log_outages_total", kind::counter, "Times that storing has begun to fail.",
              numbers.outages);
    write_one(out, "livelogd_log_removed_segments_total", kind::counter, "Files that retention has removed.",
              numbers.removed_segments);
}

void write_live(metrics_text& out, const services& s) {
    const auto& live = s.streams.live;
    const auto& served = s.streams.count;
    write_one(out, "livelogd_ring_bytes", kind::gauge, "Memory of the newest records, ready to be streamed.",
              live.held_bytes());
    write_one(out, "livelogd_ring_limit_bytes", kind::gauge, "Memory that they may take (ring_bytes).",
              live.ring_bytes());
    write_one(out, "livelogd_streams", kind::gauge, "Event streams that are open.", read(served.streams));
    write_one(out, "livelogd_streamed_records_total", kind::counter,
              "Records sent over event streams, each as often as it was sent.",
              read(served.streamed_records));
    write_one(out, "livelogd_catch_up_blocks_total", kind::counter,
              "Blocks of the log's files read for streams that had fallen behind the ring.",
              s.streams.files.blocks_read());
    write_one(out, "livelogd_catch_up_unreadable_lines_total", kind::counter,
              "Lines met in these blocks that are no records.", s.streams.files.unreadable_lines());
}

void write_clients(metrics_text& out, const services& s) {
    const auto& served = s.streams.count;
    write_one(out, "livelogd_http_connections", kind::gauge, "HTTP connections that are open.",
              read(served.connections));
    write_one(out, "livelogd_http_connections_limit", kind::gauge,
              "HTTP connections that may be open (max_http_connections).", s.facts.max_http_connections);
    write_one(out, "livelogd_http_connections_total", kind::counter,
              "HTTP connections that were accepted, those refused included.", read(served.connected));
    write_one(out, "livelogd_http_refused_connections_total", kind::counter,
              "HTTP connections over the limit: answered 503, or closed.", read(served.refused));
    write_one(out, "livelogd_http_stalled_clients_total", kind::counter,
              "Clients that were closed because they took nothing for stall_timeout.", read(served.stalled));
}

void write_alerts(metrics_text& out, const alerts::alert_counts& counted) {
    write_one(out, "livelogd_alerts_fired_total", kind::counter,
              "Times that a rule of the configuration has fired.", read(counted.fired));
    out.family("livelogd_alert_messages_total", kind::counter,
               "Messages about fired alerts by what became of them; those not delivered were given up.");
    out.value(read(counted.delivered), {{"outcome", "delivered"}});
    out.value(read(counted.undelivered), {{"outcome", "undelivered"}});
    write_one(out, "livelogd_alert_messages_waiting", kind::gauge,
              "Messages that have not been delivered yet.", read(counted.waiting));
}

void write_sessions(metrics_text& out, authenticator& who) {
    write_one(out, "livelogd_http_sessions", kind::gauge, "Browsers that are signed in.",
              who.sessions(std::chrono::steady_clock::now()));
    write_one(out, "livelogd_http_sign_ins_total", kind::counter, "Times that somebody has signed in.",
              who.sign_ins());
}

void write_requests(metrics_text& out, const request_counts& counts) {
    out.family("livelogd_http_requests_total", kind::counter,
               "Requests answered, by endpoint (\"other\": none of the daemon's) and status code. Codes that "
               "have not been met are left out.");
    for (const auto& row : counts.rows()) {
        for (std::size_t i = 0; i < request_counts::code_count; ++i) {
            const auto answers = read(row->answers[i]);
            const bool told = i < request_counts::codes.size();
            const auto code = told ? std::to_string(request_counts::codes[i]) : std::string("other");
            // The one that most will meet is there from the start, so that its rate is known from the first.
            if (answers > 0 || code == "200")
                out.value(answers, {{"code", code}, {"endpoint", row->endpoint}});
        }
    }
    out.family("livelogd_http_refused_requests_total", kind::counter,
               "Requests that were not let in, by reason.");
    for (std::size_t i = 0; i < refusal_names.size(); ++i)
        out.value(read(counts.refusals()[i]), {{"reason", refusal_names[i]}});
    out.family("livelogd_http_query_duration_seconds", kind::histogram,
               "From the request to the head of its answer, of queries that were answered.");
    for (const auto& row : counts.rows()) {
        if (row->durations) out.histogram(row->durations->now(), {{"endpoint", row->endpoint}});
    }
}

}  // namespace

endpoint metrics_endpoint(const services& s, std::shared_ptr<const request_counts> counts) {
    return [s, counts = std::move(counts)](const request& asked) -> net::awaitable<reply> {
        const parameters none(asked, {});
        // Here, and not on a worker thread: nothing of it waits for the disk, and it has to be answered also
        // when the workers do.
        metrics_text out;
        write_process(out, s.facts);
        write_ingest(out, s);
        write_log(out, s);
        write_live(out, s);
        write_clients(out, s);
        if (s.who != nullptr) write_sessions(out, *s.who);
        write_requests(out, *counts);
        if (s.alerted != nullptr) write_alerts(out, *s.alerted);
        co_return reply{.content_type = metrics_text::content_type, .body = std::move(out).text()};
    };
}

}  // namespace livelogd::http
