// SPDX-License-Identifier: MIT
// Every way of looking for the ends of strings finds the same, and what scan_record() says of random lines is
// what Boost.JSON says.
#include "protocol/limits.hpp"
#include "protocol/scan.hpp"
#include "protocol/string_marks.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/half_pairs.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace livelogd::protocol;
namespace json = boost::json;

namespace {

using random_source = std::mt19937;

std::size_t below(random_source& random, std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

template <class Container>
const auto& one_of(random_source& random, const Container& choices) {
    return choices[below(random, std::size(choices))];
}

/// White space, more often none.
std::string blanks(random_source& random) {
    static const std::vector<std::string> choices{"", "", "", " ", "  ", "\t", "\r\n", std::string(70, ' ')};
    return one_of(random, choices);
}

std::string random_characters(random_source& random) {
    static const std::vector<std::string> parts{"a",
                                                "plain text ",
                                                "\\n",
                                                "\\\"",
                                                "\\\\",
                                                "\\u00e9",
                                                "\\ud83d\\ude00",
                                                "\\udbff",
                                                "\\ude00",
                                                "\xC3\xA9",
                                                "\xE2\x82\xAC",
                                                "\xF0\x9F\x98\x80",
                                                "{[:,]}",
                                                "\x7F",
                                                std::string(61, 'x'),
                                                "'"};
    std::string text;
    for (std::size_t left = below(random, 6); left > 0; --left)
        text += one_of(random, parts);
    return text;
}

std::string random_key(random_source& random) {
    static const std::vector<std::string> keys{"timestamp",
                                               "level",
                                               "type",
                                               "request_id",
                                               "method",
                                               "endpoint",
                                               "status_code",
                                               "duration_ms",
                                               "error_type",
                                               "exception",
                                               "error",
                                               "error.type",
                                               "exception.type",
                                               "response_body",
                                               "tok\\u0065n",
                                               "Password",
                                               "typ\\u0065",
                                               "a",
                                               ""};
    return below(random, 4) == 0 ? random_characters(random) : one_of(random, keys);
}

std::string random_value(random_source& random, std::size_t depth);

std::string random_object(random_source& random, std::size_t depth) {
    std::string text = "{" + blanks(random);
    for (std::size_t left = below(random, 8), i = 0; i < left; ++i) {
        if (i > 0) text += "," + blanks(random);
        text += "\"" + random_key(random) + "\"" + blanks(random) + ":" + blanks(random);
        text += random_value(random, depth + 1) + blanks(random);
    }
    return text + "}";
}

std::string random_value(random_source& random, std::size_t depth) {
    static const std::vector<std::string> scalars{
        "0", "-0.5e+10", "12345678901234567890123", "true", "false", "null", "1E400", "3.25", "-7"};
    switch (below(random, depth > 4 ? 2 : 4)) {
        case 0:
            return "\"" + random_characters(random) + "\"";
        case 1:
            return one_of(random, scalars);
        case 2:
            return random_object(random, depth);
        default: {
            std::string text = "[" + blanks(random);
            for (std::size_t left = below(random, 4), i = 0; i < left; ++i)
                text +=
                    (i > 0 ? "," + blanks(random) : "") + random_value(random, depth + 1) + blanks(random);
            return text + "]";
        }
    }
}

/// A few bytes of `text` changed, left out or put in.
std::string damaged(random_source& random, std::string text) {
    static const std::string likely = "\"\\{}[]:,0-.eEtfn \t\x01\x80\xC3\xED\xF4\xFF";
    for (std::size_t left = 1 + below(random, 3); left > 0 && !text.empty(); --left) {
        const std::size_t at = below(random, text.size());
        switch (below(random, 4)) {
            case 0:
                text.erase(at, 1 + below(random, 3));
                break;
            case 1:
                text.insert(at, 1, one_of(random, likely));
                break;
            case 2:
                text.resize(at);
                break;
            default:
                text[at] = one_of(random, likely);
        }
    }
    return text;
}

/// Boost.JSON's verdict and value. It knows no duplicate keys: the last one counts.
struct parsed {
    bool beyond_it = false;  ///< an exponent that it does not take, but RFC 8259 does
    bool valid = false;
    json::value value;
};

parsed parse(const std::string& text) {
    json::parse_options options;
    options.max_depth = max_nesting;
    json::error_code failed;
    json::value value = json::parse(livelogd::test::without_half_pairs(text), failed, {}, options);
    if (failed == json::error::exponent_overflow) return {.beyond_it = true, .valid = false, .value = {}};
    if (failed || !value.is_object()) return {};
    return {.beyond_it = false, .valid = true, .value = std::move(value)};
}

struct outcome {
    bool valid = false;
    std::size_t at = 0;
    std::string reason;
    std::string stored;
    std::vector<std::pair<json_kind, std::string>> fields;
    friend bool operator==(const outcome&, const outcome&) = default;
};

void note(outcome& result, const digest_fields& fields) {
    for (const json_token* token : {&fields.level, &fields.type, &fields.status_code})
        result.fields.emplace_back(token->kind, token->text);
}

void note(outcome& result, const record_fields& fields) {
    note(result, static_cast<const digest_fields&>(fields));
    for (const json_token* token :
         {&fields.timestamp, &fields.request_id, &fields.method, &fields.endpoint, &fields.duration_ms,
          &fields.error_type, &fields.exception_type, &fields.error_dot_type, &fields.response_error_type})
        result.fields.emplace_back(token->kind, token->text);
}

/// A copy that ends where its memory does, so that sanitizers see what is read behind it.
outcome scan(record_scanner& scanner, const std::string& line, const redaction_keys* keys) {
    const auto copy = std::make_unique_for_overwrite<char[]>(line.size());
    std::copy(line.begin(), line.end(), copy.get());
    const std::string_view bytes(copy.get(), line.size());
    outcome result;
    record_fields fields;
    if (const auto error = scanner.scan_record(bytes, fields)) {
        result.at = error->at;
        result.reason = error->reason;
    } else {
        note(result, fields);
    }
    digest_fields stored;
    const auto stored_error =
        scanner.scan_record(bytes, {.redact = keys, .timestamp = "T"}, result.stored, stored);
    REQUIRE(stored_error.has_value() == !result.reason.empty());
    result.valid = !stored_error;
    if (stored_error) {
        REQUIRE(stored_error->at == result.at);
        REQUIRE(stored_error->reason == result.reason);
    } else {
        note(result, stored);
    }
    return result;
}

}  // namespace

TEST_CASE("every way of finding marks finds those of a loop over the bytes") {
    random_source random(1);
    for (std::size_t size = 1; size < 300; ++size) {
        std::string bytes(size, 'x');
        for (char& c : bytes)
            if (below(random, 5) == 0) c = static_cast<char>(below(random, 256));
        for (const scan_path path : available_scan_paths()) {
            CAPTURE(size, static_cast<int>(path));
            std::vector<unsigned char> bits((size + 63) / 64 * 8, 0xAA);
            finder_of(path)(bytes.data(), size, bits.data());
            for (std::size_t i = 0; i < bits.size() * 8; ++i) {
                const auto c =
                    i < size ? static_cast<unsigned char>(bytes[i]) : static_cast<unsigned char>('x');
                const bool mark = c == '"' || c == '\\' || c < 0x20 || c >= 0x80;
                if (((bits[i / 8] >> i % 8 & 1) != 0) != mark) FAIL("byte " << i);
            }
        }
    }
}

TEST_CASE("random lines are read alike on every path, and as Boost.JSON reads them") {
    const redaction_keys keys;
    std::vector<record_scanner> scanners;
    for (const scan_path path : available_scan_paths())
        scanners.emplace_back(path);
    std::size_t records = 0;
    constexpr unsigned rounds = 6000;
    for (unsigned round = 0; round < rounds; ++round) {
        random_source random(round);
        std::string line = blanks(random) + random_object(random, 1) + blanks(random);
        if (round % 2 == 1) line = damaged(random, std::move(line));
        CAPTURE(round, line);
        const outcome first = scan(scanners.front(), line, nullptr);
        const outcome redacted = scan(scanners.front(), line, &keys);
        for (record_scanner& scanner : scanners) {
            REQUIRE(scan(scanner, line, nullptr) == first);
            REQUIRE(scan(scanner, line, &keys) == redacted);
        }
        const parsed sent = parse(line);
        if (sent.beyond_it) continue;
        REQUIRE(first.valid == sent.valid);
        if (!first.valid) continue;
        if (!(sent.value == sent.value)) continue;  // Boost.JSON takes 0e888 for no number
        ++records;
        // Minified it says the same; a second time nothing goes.
        REQUIRE(first.stored.size() <= line.size() + std::string_view(R"("timestamp":"T",)").size());
        json::value expected = sent.value;
        if (!expected.as_object().contains("timestamp")) expected.as_object()["timestamp"] = "T";
        REQUIRE(parse(first.stored).value == expected);
        REQUIRE(scan(scanners.front(), first.stored, nullptr).stored == first.stored);
        REQUIRE(scan(scanners.front(), redacted.stored, &keys).stored == redacted.stored);
    }
    // Neither kind of line is rare.
    CHECK(records > rounds / 2);
    CHECK(records < rounds);
}

TEST_CASE("strings that cross the borders of blocks and chunks end where they end") {
    std::vector<record_scanner> scanners;
    for (const scan_path path : available_scan_paths())
        scanners.emplace_back(path);
    for (const std::string_view part :
         {"\\\"", "\\u00e9", "\\ud83d\\ude00", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
        for (const std::size_t border : {64U, 4096U, 8192U}) {
            for (std::size_t before = border - 40; before < border; ++before) {
                CAPTURE(part, before);
                const std::string text = std::string(before, 'x') + std::string(part) + "y\"";
                const std::string line = R"({"timestamp":"T","a":")" + text + R"(,"type":"t"})";
                for (record_scanner& scanner : scanners) {
                    const outcome result = scan(scanner, line, nullptr);
                    REQUIRE(result.stored == line);
                    REQUIRE(result.fields[1].second == "\"t\"");
                    const outcome cut = scan(scanner, line.substr(0, 21 + before + part.size()), nullptr);
                    REQUIRE(cut.reason == "unexpected end of the line");
                }
            }
        }
    }
}
