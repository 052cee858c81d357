// SPDX-License-Identifier: MIT
#include "daemon/ingest/intake.hpp"

#include "protocol/malformed.hpp"

#include <utility>
#include <variant>

namespace livelogd::ingest {
namespace {

bool is_api_call(const protocol::digest_fields& fields) {
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
    // What is only the middle of a long line makes no record yet.
    if (bytes.find('\n') != std::string_view::npos)
        batch.lines.reserve(batch.lines.size() + bytes.size() + framer_.held_bytes());
    framer_.feed(bytes, [&](const protocol::framed_line& line) { take(line, rules, batch); });
    add_up();
}

void intake::finish(const policy& rules, storage::record_batch& batch) {
    stamp_turn(rules);
    framer_.finish([&](const protocol::framed_line& line) { take(line, rules, batch); });
    add_up();
}

void intake::abandon(std::string_view reason, const policy& rules, storage::record_batch& batch) {
    stamp_turn(rules);
    abandon_reason_ = reason;
    framer_.abandon([&](const protocol::framed_line& line) { take(line, rules, batch); });
    add_up();
}

void intake::leave_unfinished() {
    framer_.finish([this](const protocol::framed_line&) {
        if (closed_) return;
        count_.lines.fetch_add(1, std::memory_order_relaxed);
        count_.unfinished.fetch_add(1, std::memory_order_release);
    });
}

/// Whether the connection's first line is a hello. It is no line of the sender's then.
bool intake::greets(const protocol::framed_line& line) {
    const auto on_greeting = std::exchange(on_greeting_, nullptr);
    if (line.what != protocol::framed_line::state::whole) return false;
    const auto greeting = protocol::parse_hello(line.bytes);
    if (std::holds_alternative<std::monostate>(greeting)) return false;
    numbers_ = on_greeting(greeting);
    closed_ = numbers_ == nullptr;
    return true;
}

void intake::add_up() {
    const auto add = [](std::atomic<std::uint64_t>& sum, std::uint64_t n) {
        if (n > 0) sum.fetch_add(n, std::memory_order_release);
    };
    add(count_.lines, turn_.lines);
    add(count_.malformed, turn_.malformed);
    add(count_.deduplicated, turn_.deduplicated);
    add(count_.dropped_by_configuration, turn_.dropped);
    for (std::size_t i = 0; i < turn_.redactions.size(); ++i)
        add(count_.redactions[i], turn_.redactions[i]);
    turn_ = {};
}

void intake::take(const protocol::framed_line& line, const policy& rules, storage::record_batch& batch) {
    using state = protocol::framed_line::state;
    if (on_greeting_ && greets(line)) return;
    if (closed_) return;
    ++turn_.lines;
    if (numbers_ != nullptr && !numbers_->claim()) {
        ++turn_.deduplicated;
        return;
    }
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
    protocol::digest_fields fields;
    const protocol::intake_rules how{
        .redact = &rules.redact,
        .timestamp = timestamp_,
        .content = {.secrets = &rules.secrets, .bodies = &rules.bodies, .counts = &turn_.redactions}};
    if (const auto error = scanner_.scan_record(line.bytes, how, batch.lines, fields)) {
        take_malformed(error->reason + ", at byte " + std::to_string(error->at), line, rules, batch);
        return;
    }
    if (!rules.log_api_calls && is_api_call(fields)) {
        batch.lines.resize(begin);
        ++turn_.dropped;
        return;
    }
    close_record(begin, fields, batch);
}

void intake::take_malformed(std::string_view message, const protocol::framed_line& line, const policy& rules,
                            storage::record_batch& batch) {
    ++turn_.malformed;
    if (numbers_ != nullptr) numbers_->malformed(message);
    const auto record = protocol::make_malformed_record(
        message, line.bytes, line.total_bytes, rules.redact, timestamp_,
        {.secrets = &rules.secrets, .bodies = nullptr, .counts = &turn_.redactions});
    const std::size_t begin = batch.lines.size();
    protocol::digest_fields fields;
    // Through the same door as every record: its fields are found, and what it is made of is checked.
    if (scanner_.scan_record(record, {}, batch.lines, fields)) return;
    close_record(begin, fields, batch);
}

void intake::close_record(std::size_t begin, const protocol::digest_fields& fields,
                          storage::record_batch& batch) {
    const auto digest = protocol::record_digest::of(std::string_view(batch.lines).substr(begin), fields);
    batch.lines.push_back('\n');
    batch.records.push_back({static_cast<std::uint32_t>(batch.lines.size() - begin), digest});
}

}  // namespace livelogd::ingest
