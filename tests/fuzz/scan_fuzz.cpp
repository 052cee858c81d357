// SPDX-License-Identifier: MIT
// Whatever the bytes: scan_record() agrees with Boost.JSON on what is a record, and what it stores means the
// same, less the credentials, plus a timestamp.
#include "protocol/limits.hpp"
#include "protocol/malformed.hpp"
#include "protocol/record_digest.hpp"
#include "protocol/scan.hpp"
#include "protocol/text.hpp"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

namespace json = boost::json;
using namespace livelogd::protocol;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

std::optional<json::value> parsed(std::string_view text, json::error_code& failed) {
    json::parse_options options;
    options.max_depth = max_nesting;
    json::value value = json::parse(json::string_view(text.data(), text.size()), failed, {}, options);
    if (failed || !value.is_object()) return std::nullopt;
    return value;
}

/// The same redaction on a document tree.
void redact(json::value& value, const redaction_keys& keys) {
    if (auto* object = value.if_object()) {
        for (auto& member : *object) {
            if (keys.matches(member.key())) {
                member.value() = "[REDACTED]";
            } else {
                redact(member.value(), keys);
            }
        }
    } else if (auto* array = value.if_array()) {
        for (auto& element : *array)
            redact(element, keys);
    }
}

/// Sees every member, also the duplicates that a document tree forgets: the value of a redacted key must be
/// the mark that it is.
struct credentials_check {
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);

    const redaction_keys& keys;
    std::string text;
    bool after_redacted_key = false;

    bool other_value() const {
        require(!after_redacted_key, "the value of a redacted key is a string");
        return true;
    }
    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) { return other_value(); }
    bool on_object_end(std::size_t, json::error_code&) { return true; }
    bool on_array_begin(json::error_code&) { return other_value(); }
    bool on_array_end(std::size_t, json::error_code&) { return true; }
    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        text += part;
        return true;
    }
    bool on_key(json::string_view part, std::size_t, json::error_code&) {
        text += part;
        after_redacted_key = keys.matches(text);
        text.clear();
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
        text += part;
        return true;
    }
    bool on_string(json::string_view part, std::size_t, json::error_code&) {
        text += part;
        require(!after_redacted_key || text == "[REDACTED]", "the value of a redacted key is gone");
        after_redacted_key = false;
        text.clear();
        return true;
    }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, json::error_code&) { return other_value(); }
    bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return other_value(); }
    bool on_double(double, json::string_view, json::error_code&) { return other_value(); }
    bool on_bool(bool, json::error_code&) { return other_value(); }
    bool on_null(json::error_code&) { return other_value(); }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

void check_credentials(std::string_view record, const redaction_keys& keys) {
    json::parse_options options;
    options.max_depth = max_nesting;
    json::basic_parser<credentials_check> parser(options, credentials_check{.keys = keys, .text = {}});
    json::error_code failed;
    parser.write_some(false, record.data(), record.size(), failed);
}

void check_field(const json_token& token, const json::object& record, std::string_view key) {
    const json::value* expected = record.if_contains(json::string_view(key.data(), key.size()));
    require((token.kind != json_kind::absent) == (expected != nullptr),
            "a field is found where there is one");
    if (expected == nullptr) return;
    json::error_code failed;
    const json::value value = json::parse(json::string_view(token.text.data(), token.text.size()), failed);
    // An exponent may be beyond the document parser.
    if (!failed)
        require(json::serialize(value) == json::serialize(*expected), "a field is the last of its name");
    if (token.is_string()) require(decode_string(token) == expected->as_string(), "a string is decoded");
}

void check_fields(const record_fields& fields, const json::object& record) {
    check_field(fields.timestamp, record, "timestamp");
    check_field(fields.level, record, "level");
    check_field(fields.type, record, "type");
    check_field(fields.request_id, record, "request_id");
    check_field(fields.method, record, "method");
    check_field(fields.endpoint, record, "endpoint");
    check_field(fields.status_code, record, "status_code");
    check_field(fields.duration_ms, record, "duration_ms");
    check_field(fields.error_type, record, "error_type");
    const auto check_nested = [&](const json_token& token, std::string_view flat, const char* outer,
                                  const char* inner) {
        if (!flat.empty() && record.contains(json::string_view(flat.data(), flat.size()))) {
            check_field(token, record, flat);
            return;
        }
        const json::value* object = record.if_contains(outer);
        check_field(token, object != nullptr && object->is_object() ? object->get_object() : json::object(),
                    inner);
    };
    check_nested(fields.exception_type, "exception.type", "exception", "type");
    check_nested(fields.error_dot_type, "error.type", "error", "type");
    check_nested(fields.response_error_type, "", "response_body", "error_type");
}

void check_stored(std::string_view line, const std::string& stored, const record_fields& fields,
                  const redaction_keys& keys, const intake_rules& rules) {
    static record_scanner scanner;
    require(stored.find_first_of("\r\n") == std::string::npos, "a stored record is one line");
    check_credentials(stored, keys);

    record_fields again;
    std::string twice;
    require(!scanner.scan_record(stored, rules, twice, again), "a stored record is a record");
    require(twice == stored, "a stored record is stored as it is");
    require(!scanner.scan_record(stored, again), "a stored record can be read");
    const auto same = [](const json_token& a, const json_token& b) {
        return a.kind == b.kind && a.text == b.text;
    };
    require(same(again.level, fields.level) && same(again.type, fields.type)
                && same(again.timestamp, fields.timestamp)
                && same(again.exception_type, fields.exception_type)
                && same(again.response_error_type, fields.response_error_type),
            "ingest and readers see the same fields");
    const record_digest digest = record_digest::of(stored, fields);
    require(digest.type_is_indirect || digest.type_size == 0
                || string_equals(fields.type, digest.type_in(stored)),
            "the digest finds the type");

    json::error_code failed;
    auto expected = parsed(line, failed);
    if (failed == json::error::exponent_overflow) return;
    const auto actual = parsed(stored, failed);
    require(expected && actual, "both are records");
    if (!expected->as_object().contains("timestamp")) {
        json::object with_timestamp;
        with_timestamp["timestamp"] = std::string(rules.timestamp);
        for (auto& member : expected->as_object())
            with_timestamp.insert(member);
        *expected = std::move(with_timestamp);
    }
    redact(*expected, keys);
    // As text: a number that became NaN in the document tree equals nothing.
    require(json::serialize(*expected) == json::serialize(*actual), "what is stored means what was sent");
    check_fields(again, actual->as_object());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const redaction_keys keys;
    static record_scanner scanner;
    const intake_rules rules{.redact = &keys, .timestamp = "2025-06-26T10:30:45.000000+02:00"};
    // A buffer of exactly this size: reading beyond its end is seen.
    const std::string copy(reinterpret_cast<const char*>(data), size);
    const std::string_view line = copy;

    record_fields fields;
    std::string stored;
    const auto error = scanner.scan_record(line, rules, stored, fields);
    record_fields read_fields;
    require(scanner.scan_record(line, read_fields).has_value() == error.has_value(), "one verdict");
    json::error_code failed;
    const auto oracle = parsed(line, failed);
    // Valid JSON, but beyond that parser's arithmetic; its verdict then says nothing.
    if (failed != json::error::exponent_overflow)
        require(oracle.has_value() == !error.has_value(), "the verdict of Boost.JSON");

    if (error) {
        require(error->at <= line.size() && !error->reason.empty(), "an error has a place and a reason");
        require(stored.empty(), "nothing is stored of what is refused");
        const std::string record =
            make_malformed_record(error->reason, line.substr(0, max_raw_bytes), line.size(), keys, "T");
        require(!scanner.scan_record(record, fields), "a malformed line's record is a record");
    } else {
        check_stored(line, stored, fields, keys, rules);
    }
    return 0;
}
