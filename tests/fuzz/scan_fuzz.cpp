// SPDX-License-Identifier: MIT
// Whatever the bytes: scan_record() agrees with a second reader of JSON, and with Boost.JSON, on what is a
// record, says the same on each of its paths, and stores exactly the record's tokens, less the credentials,
// plus a timestamp.
#include "protocol/limits.hpp"
#include "protocol/malformed.hpp"
#include "protocol/record_digest.hpp"
#include "protocol/scan.hpp"
#include "tests/fuzz/credentials.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/strict_json.hpp"
#include "tests/support/half_pairs.hpp"

#include <boost/json/parse.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace livelogd::protocol;
using livelogd::fuzz::json_value;
using livelogd::fuzz::names_a_credential;
using livelogd::fuzz::require;
using livelogd::fuzz::stored_record;
using livelogd::fuzz::strict_json;

/// What docs/ingest-protocol.md promises.
constexpr std::size_t deepest = 128;

constexpr std::string_view now = "2025-06-26T10:30:45.000000+02:00";

constexpr auto nothing = [](std::string_view) { return false; };

/// The last member of that name, if `in` is an object that has one.
const json_value* member(const json_value* in, std::string_view key) {
    const json_value* found = nullptr;
    if (in == nullptr) return found;
    for (const auto& m : in->members) {
        if (m.key == key) found = &m.value;
    }
    return found;
}

std::string spelled(const json_value& value) {
    std::string text;
    stored_record::write(value, text, nothing);
    return text;
}

json_kind kind_of(const json_value& value) {
    switch (value.kind) {
        case '{':
            return json_kind::object;
        case '[':
            return json_kind::array;
        case '"':
            return json_kind::string;
        case 't':
        case 'f':
            return json_kind::boolean;
        case 'n':
            return json_kind::null;
        default:
            return json_kind::number;
    }
}

void check_field(const json_token& token, const json_value* expected) {
    require((token.kind != json_kind::absent) == (expected != nullptr),
            "a field is found where there is one");
    if (expected == nullptr) return;
    require(token.kind == kind_of(*expected), "a field's kind is that of its value");
    // In a line that was only read the value may hold white space.
    const std::string object = "{\"v\":" + std::string(token.text) + "}";
    const auto alone = strict_json::object(object, deepest);
    require(alone.has_value(), "a field is a whole value");
    require(spelled(*member(&*alone, "v")) == spelled(*expected), "a field is the last of its name");
    if (token.is_string())
        require(decode_string(token) == strict_json::decoded(expected->raw), "a string is decoded");
}

/// Nested fields are those of the last object of that name; a flat key hides them.
void check_nested(const json_token& token, const json_value& record, std::string_view flat,
                  std::string_view outer, std::string_view inner) {
    const json_value* const shown = flat.empty() ? nullptr : member(&record, flat);
    check_field(token, shown != nullptr ? shown : member(member(&record, outer), inner));
}

void check_fields(const digest_fields& fields, const json_value& record) {
    check_field(fields.level, member(&record, "level"));
    check_field(fields.type, member(&record, "type"));
    check_field(fields.status_code, member(&record, "status_code"));
}

void check_fields(const record_fields& fields, const json_value& record) {
    check_fields(static_cast<const digest_fields&>(fields), record);
    check_field(fields.timestamp, member(&record, "timestamp"));
    check_field(fields.request_id, member(&record, "request_id"));
    check_field(fields.method, member(&record, "method"));
    check_field(fields.endpoint, member(&record, "endpoint"));
    check_field(fields.duration_ms, member(&record, "duration_ms"));
    check_field(fields.error_type, member(&record, "error_type"));
    check_nested(fields.exception_type, record, "exception.type", "exception", "type");
    check_nested(fields.error_dot_type, record, "error.type", "error", "type");
    check_nested(fields.response_error_type, record, "", "response_body", "error_type");
}

bool same_token(const json_token& a, const json_token& b) {
    return a.kind == b.kind && a.text == b.text;
}

bool same_tokens(const digest_fields& a, const digest_fields& b) {
    return same_token(a.level, b.level) && same_token(a.type, b.type)
           && same_token(a.status_code, b.status_code);
}

bool same_tokens(const record_fields& a, const record_fields& b) {
    const auto same = [&](json_token record_fields::* field) { return same_token(a.*field, b.*field); };
    using f = record_fields;
    return same_tokens(static_cast<const digest_fields&>(a), b) && same(&f::timestamp) && same(&f::request_id)
           && same(&f::method) && same(&f::endpoint) && same(&f::duration_ms) && same(&f::error_type)
           && same(&f::exception_type) && same(&f::error_dot_type) && same(&f::response_error_type);
}

void check_stored(const json_value& sent, const std::string& stored, const digest_fields& fields,
                  const intake_rules& rules) {
    static record_scanner scanner;
    require(stored.find_first_of("\r\n") == std::string::npos, "a stored record is one line");
    require(stored == stored_record::of(sent, now, names_a_credential), "stored are the tokens as sent");
    const auto kept = strict_json::object(stored, deepest);
    require(kept.has_value(), "a stored record is a record");
    check_fields(fields, *kept);

    record_fields again;
    digest_fields twice_fields;
    std::string twice;
    require(!scanner.scan_record(stored, rules, twice, twice_fields), "a stored record can be stored");
    require(twice == stored, "a stored record is stored as it is");
    require(!scanner.scan_record(stored, again), "a stored record can be read");
    check_fields(again, *kept);
    require(same_tokens(static_cast<const digest_fields&>(again), fields),
            "ingest and readers see the same fields");

    const record_digest digest = record_digest::of(stored, fields);
    require(digest.error == is_error_record(fields), "the digest knows an error");
    require(digest.type_is_indirect || digest.type_size == 0
                || string_equals(fields.type, digest.type_in(stored)),
            "the digest finds the type");
}

/// Boost.JSON's verdict and value; nothing where an exponent is beyond it.
void check_against_boost(std::string_view line, bool is_record, const std::string& stored) {
    boost::json::parse_options options;
    options.max_depth = deepest;
    boost::json::error_code failed;
    const auto parse = [&](std::string_view text) {
        return boost::json::parse(livelogd::test::without_half_pairs(std::string(text)), failed, {}, options);
    };
    boost::json::value sent = parse(line);
    if (failed == boost::json::error::exponent_overflow) return;
    require(is_record == (!failed && sent.is_object()), "the verdict of Boost.JSON");
    if (!is_record) return;
    if (!(sent == sent)) return;  // it takes 0e888 for no number
    if (!sent.as_object().contains("timestamp")) sent.as_object()["timestamp"] = now;
    require(parse(stored) == sent, "minified it has the same value");
}

void check_paths(std::string_view line, const intake_rules& rules, const std::optional<scan_error>& error,
                 const std::string& stored, const record_fields& read_fields) {
    static std::vector<record_scanner> scanners = [] {
        std::vector<record_scanner> all;
        for (const scan_path path : available_scan_paths())
            all.emplace_back(path);
        return all;
    }();
    for (record_scanner& scanner : scanners) {
        std::string out;
        record_fields fields;
        digest_fields stored_fields;
        const auto same = scanner.scan_record(line, rules, out, stored_fields);
        require(same.has_value() == error.has_value() && out == stored, "every path stores the same");
        if (same) require(same->at == error->at && same->reason == error->reason, "or finds the same fault");
        const auto again = scanner.scan_record(line, fields);
        require(again.has_value() == error.has_value(), "every path reads the same");
        if (again) require(again->at == error->at && again->reason == error->reason, "or not");
        if (!again) require(same_tokens(fields, read_fields), "every path finds the same fields");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const redaction_keys keys;
    static const redaction_keys no_keys{std::span<const std::string_view>{}};
    static record_scanner scanner;
    const intake_rules rules{.redact = &keys, .timestamp = now};
    // A buffer of exactly this size: reading beyond its end is seen.
    const std::string copy(reinterpret_cast<const char*>(data), size);
    const std::string_view line = copy;

    digest_fields fields;
    // What is in `out` before stays there.
    constexpr std::string_view before = "earlier\n";
    std::string out(before);
    const auto error = scanner.scan_record(line, rules, out, fields);
    require(out.starts_with(before), "what was stored before is left alone");
    const auto sent = strict_json::object(line, deepest);
    require(sent.has_value() == !error.has_value(), "the verdict of a second reader");
    record_fields read_fields;
    require(scanner.scan_record(line, read_fields).has_value() == error.has_value(), "one verdict");

    check_paths(line, rules, error, out.substr(before.size()), read_fields);

    if (error) {
        check_against_boost(line, false, {});
        require(error->at <= line.size() && !error->reason.empty(), "an error has a place and a reason");
        require(out == before, "nothing is stored of what is refused");
        const std::string record =
            make_malformed_record(error->reason, line.substr(0, max_raw_bytes), line.size(), keys, "T");
        require(!scanner.scan_record(record, read_fields), "a malformed line's record is a record");
        require(strict_json::object(record, deepest).has_value(), "so says the second reader");
        return 0;
    }
    check_fields(read_fields, *sent);
    const std::string stored = out.substr(before.size());
    // The tokens point into `out`; what they say is checked against a copy that stands alone.
    digest_fields alone;
    std::string same;
    require(!scanner.scan_record(line, rules, same, alone) && same == stored, "the place does not matter");
    require(same_tokens(alone, fields), "nor for the fields");
    check_stored(*sent, same, alone, rules);

    // Without rules only the white space goes.
    std::string plain;
    require(!scanner.scan_record(line, {.redact = &no_keys, .timestamp = now}, plain, fields), "one verdict");
    require(plain == stored_record::of(*sent, now, nothing), "nothing is redacted unless asked for");
    check_against_boost(line, true, plain);
    return 0;
}
