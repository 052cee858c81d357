// SPDX-License-Identifier: MIT
#include "daemon/ingest/intake.hpp"

#include "protocol/malformed.hpp"

namespace livelogd::ingest {
namespace {

bool is_api_call(const protocol::record_fields& fields) {
    return fields.type.is_string()
           && (protocol::string_equals(fields.type, "request")
               || protocol::string_equals(fields.type, "response"));
}

}  // namespace

void intake::stamp_turn(const policy& rules) {
    timestamp_ = rules.zone.format(base::now_us());
}

void intake::feed(std::string_view bytes, const policy& rules, storage::record_batch& batch) {
    stamp_turn(rules);
    batch.lines.reserve(batch.lines.size() + bytes.size() + framer_.held_bytes());
    framer_.feed(bytes, [&](const protocol::framed_line& line) { take(line, rules, batch); });
}

void intake::finish(const policy& rules, storage::record_batch& batch) {
    stamp_turn(rules);
    framer_.finish([&](const protocol::framed_line& line) { take(line, rules, batch); });
}

void intake::abandon(std::string_view reason, const policy& rules, storage::record_batch& batch) {
    stamp_turn(rules);
    abandon_reason_ = reason;
    framer_.abandon([&](const protocol::framed_line& line) { take(line, rules, batch); });
}

void intake::take(const protocol::framed_line& line, const policy& rules, storage::record_batch& batch) {
    using state = protocol::framed_line::state;
    if (line.what == state::oversized) {
        take_malformed("the line has " + std::to_string(line.total_bytes) + " bytes; at most "
                           + std::to_string(limit_) + " are taken (max_record_bytes): skipped from byte "
                           + std::to_string(limit_),
                       line, rules, batch);
        return;
    }
    if (line.what == state::abandoned) {
        take_malformed(std::string(abandon_reason_) + ", at byte " + std::to_string(line.total_bytes), line,
                       rules, batch);
        return;
    }
    const std::size_t begin = batch.lines.size();
    protocol::record_fields fields;
    const protocol::intake_rules how{&rules.redact, timestamp_};
    if (const auto error = scanner_.scan_record(line.bytes, how, batch.lines, fields)) {
        take_malformed(error->reason + ", at byte " + std::to_string(error->at), line, rules, batch);
        return;
    }
    if (!rules.log_api_calls && is_api_call(fields)) {
        batch.lines.resize(begin);
        count_.dropped_calls.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    close_record(begin, fields, batch);
}

void intake::take_malformed(std::string_view message, const protocol::framed_line& line, const policy& rules,
                            storage::record_batch& batch) {
    count_.malformed.fetch_add(1, std::memory_order_relaxed);
    const auto record =
        protocol::make_malformed_record(message, line.bytes, line.total_bytes, rules.redact, timestamp_);
    const std::size_t begin = batch.lines.size();
    protocol::record_fields fields;
    // Through the same door as every record: its fields are found, and what it is made of is checked.
    if (scanner_.scan_record(record, {}, batch.lines, fields)) return;
    close_record(begin, fields, batch);
}

void intake::close_record(std::size_t begin, const protocol::record_fields& fields,
                          storage::record_batch& batch) {
    const auto digest = protocol::record_digest::of(std::string_view(batch.lines).substr(begin), fields);
    batch.lines.push_back('\n');
    batch.records.push_back({static_cast<std::uint32_t>(batch.lines.size() - begin), digest});
    count_.records.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace livelogd::ingest
