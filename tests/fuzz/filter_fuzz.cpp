// SPDX-License-Identifier: MIT
// Any text as the parameter q: it is refused with a place in the text, or it makes a filter that says the
// same as its terms one by one, and the opposite of each term turned around. The same text as any other
// parameter makes a filter or is refused.
#include "daemon/filter/query_parser.hpp"
#include "daemon/filter/record_filter.hpp"
#include "protocol/scan.hpp"
#include "protocol/text.hpp"
#include "tests/fuzz/require.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace livelogd;
using fuzz::require;

constexpr std::array<std::string_view, 6> lines{
    "{}",
    R"({"type":"request","level":"debug","request_id":7,"endpoint":"/api/chat","request_body":{"model":"m:8b","n":null}})",
    R"({"type":"re\u0073ponse","level":40,"status_code":404,"status":"ok","a":{"b.c":-0.5},"a.b":[1],"duration_ms":1e400})",
    R"({"message":"caf\u00e9 \"x y\"\n\\ /api/ ß 日本","level":"WARN","a":"","b":true,"since":"x","x":"*"})",
    R"({"type":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})",
    R"({"type":5,"response_body":{"model":"b","usage":{"total_tokens":12345678901234567890}},"level":"critical"})"};

std::vector<filter::record_view> views() {
    std::vector<filter::record_view> all;
    protocol::record_scanner scanner;
    protocol::record_fields fields;
    for (const std::string_view line : lines) {
        require(!scanner.scan_record(line, fields), "the records are records");
        all.push_back({line, protocol::record_digest::of(line, fields)});
    }
    return all;
}

std::optional<filter::record_filter> made_from(const filter::filter_words& words, std::string_view text) {
    static const auto zone = base::time_zone::named("Europe/Berlin");
    try {
        return filter::record_filter(words, 1'800'000'000'000'000, zone);
    } catch (const filter::filter_error& error) {
        require(*error.what() != '\0', "a refusal says why");
        if (error.parameter() == "q" && protocol::valid_utf8_prefix(text) == text.size()) {
            require(error.at().has_value(), "a refusal says where");
            require(*error.at() < text.size(), "the place is in the text");
        }
        return std::nullopt;
    }
}

std::optional<filter::record_filter> of_q(const std::string& text) {
    return made_from({.q = {text}}, text);
}

std::size_t bytes_of(std::string_view text, std::size_t characters) {
    std::size_t bytes = 0;
    for (; characters != 0; --characters)
        bytes += protocol::next_utf8(text.substr(bytes)).size;
    return bytes;
}

/// Each term stands where it says, and says the same when it stands alone.
void check_terms(const std::string& text, const filter::syntax::query& terms) {
    for (const filter::syntax::term& term : terms) {
        require(std::string_view(text).substr(bytes_of(text, term.at)).starts_with(term.source),
                "a term stands where it says");
        const filter::syntax::query again = filter::parse_query(term.source);
        require(again.size() == 1, "a term alone is one term");
        const filter::syntax::term& alone = again.front();
        require(alone.at == 0 && alone.source == term.source && alone.negated == term.negated
                    && alone.form == term.form && alone.field == term.field && alone.values == term.values
                    && alone.compared == term.compared && alone.operand == term.operand,
                "a term alone reads as it does among others");
    }
}

void check_filter(const std::string& text, const filter::record_filter& whole) {
    static const std::vector<filter::record_view> records = views();
    const auto again = of_q(text);
    require(again && again->key() == whole.key(), "the same text makes the same key");
    const auto twice = made_from({.q = {text, text}}, text);
    require(twice.has_value(), "an expression may be given twice");

    std::vector<bool> all(records.size(), true);
    for (const filter::syntax::term& term : filter::parse_query(text)) {
        const auto alone = of_q(term.source);
        const auto turned = of_q(term.negated ? term.source.substr(1) : "-" + term.source);
        require(alone && turned, "a term that can be read can be turned around");
        for (std::size_t i = 0; i < records.size(); ++i) {
            const bool holds = alone->matches(records[i]);
            require(turned->matches(records[i]) != holds, "a term and its negation never agree");
            all[i] = all[i] && holds;
        }
    }
    for (std::size_t i = 0; i < records.size(); ++i) {
        require(whole.matches(records[i]) == all[i], "an expression holds if all of its terms do");
        require(twice->matches(records[i]) == all[i], "either of two equal expressions is the expression");
        require(whole.matches_pair(records[i], records[i]) == all[i],
                "a pair of a record with itself is the record");
    }
    require(!whole.passes_everything() || whole.key().empty(), "what lets everything through asks nothing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    for (const std::string_view name : filter::filter_parameters()) {
        filter::filter_words words;
        filter::values_of(words, name).push_back(text);
        const auto made = made_from(words, text);
        if (!made || name != "q") continue;
        check_terms(text, filter::parse_query(text));
        check_filter(text, *made);
    }
    return 0;
}
