// SPDX-License-Identifier: MIT
// Secrets by their form: the golden cases, and what holds whatever stands around a secret.
#include "protocol/json_walk.hpp"
#include "protocol/malformed.hpp"
#include "protocol/scan.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/protocol/vectors.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <random>

using namespace livelogd::protocol;

namespace {

struct outcome {
    std::string stored;
    redaction_counts counts{};
};

outcome store(std::string_view line, const secret_shapes& shapes) {
    static record_scanner scanner;
    static const redaction_keys keys;
    outcome result;
    digest_fields fields;
    const auto error = scanner.scan_record(
        line, {.redact = &keys, .timestamp = "T", .content = {.secrets = &shapes, .counts = &result.counts}},
        result.stored, fields);
    if (error) FAIL(error->reason << " at " << error->at << " of " << line);
    // What ingest has found is what every reader finds.
    record_fields again;
    REQUIRE_FALSE(scanner.scan_record(result.stored, again).has_value());
    CHECK(again.level.text == fields.level.text);
    CHECK(again.status_code.text == fields.status_code.text);
    CHECK(again.type.text == fields.type.text);
    return result;
}

std::uint64_t sum(const redaction_counts& counts) {
    std::uint64_t all = 0;
    for (const std::uint64_t one : counts)
        all += one;
    return all;
}

std::vector<secret_shapes> on_all_paths(const std::vector<std::string>& except = {}) {
    std::vector<secret_shapes> all;
    for (const anchor_path path : available_anchor_paths())
        all.emplace_back(except, path);
    return all;
}

std::vector<std::string> strings_of(const livelogd::test::vector_case& test, const char* member) {
    if (!test.contains(member)) return {};
    return boost::json::value_to<std::vector<std::string>>(test.at(member));
}

/// The bytes of `text` that are secret, without any around them: one for each rule.
const std::vector<std::string>& bare_secrets() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> found;
        const secret_shapes shapes;
        std::vector<bool> seen(secret_rule_count);
        for (const auto& test : livelogd::test::read_vectors("secrets.jsonl")) {
            const std::string line = livelogd::test::text_of(test, "line");
            std::vector<secret_span> spans;
            shapes.find(line, spans);
            for (const secret_span& one : spans) {
                const auto rule = static_cast<std::size_t>(one.rule);
                const bool needs_context = one.rule == secret_rule::bearer || one.rule == secret_rule::basic
                                           || one.rule == secret_rule::url_token
                                           || one.rule == secret_rule::url_password
                                           || one.rule == secret_rule::private_key;
                if (needs_context || seen[rule]) continue;
                seen[rule] = true;
                found.push_back(line.substr(one.begin, one.end - one.begin));
            }
        }
        for (const auto* whole :
             {"Bearer abcdefgh12", "Basic dXNlcjpwYXNzd29yZA==", "http://user:pass-1234@host/",
              "/x?token=qwertz12&y=1", "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC"})
            found.emplace_back(whole);
        return found;
    }();
    return all;
}

}  // namespace

TEST_CASE("golden cases of secrets") {
    for (const auto& test : livelogd::test::read_vectors("secrets.jsonl")) {
        INFO(livelogd::test::text_of(test, "name"));
        redaction_counts expected{};
        for (const std::string& rule : strings_of(test, "rules")) {
            const auto known = secret_rule_of(rule);
            REQUIRE((known.has_value() || rule == "key"));
            ++expected[known ? static_cast<std::size_t>(*known) : redacted_by_key];
        }
        for (const secret_shapes& shapes : on_all_paths(strings_of(test, "except"))) {
            const outcome result = store(livelogd::test::text_of(test, "line"), shapes);
            CHECK(result.stored == livelogd::test::text_of(test, "stored"));
            CHECK(result.counts == expected);
            const outcome again = store(result.stored, shapes);
            CHECK(again.stored == result.stored);
        }
    }
}

TEST_CASE("every rule has a golden case, and a name") {
    std::vector<bool> seen(secret_rule_count);
    for (const auto& test : livelogd::test::read_vectors("secrets.jsonl"))
        for (const std::string& rule : strings_of(test, "rules"))
            if (const auto known = secret_rule_of(rule)) seen[static_cast<std::size_t>(*known)] = true;
    CHECK(std::ranges::count(seen, false) == 0);
    CHECK(secret_rule_of("jwt") == secret_rule::jwt);
    CHECK_FALSE(secret_rule_of("JWT").has_value());
    CHECK(redaction_name(redacted_by_key) == "key");
    CHECK(bare_secrets().size() >= secret_rule_count);
}

TEST_CASE("without rules nothing is redacted") {
    const secret_shapes nothing = secret_shapes::none();
    const std::string line = R"({"timestamp":"T","a":"Bearer abcd1234 AKIAIOSFODNN7EXAMPLE"})";
    CHECK(store(line, nothing).stored == line);
}

TEST_CASE("all finders mark the same, and read nothing outside") {
    std::mt19937 random(1);
    const std::string likely = "sk-_AIzaKSghpousrfx\\u0oeyJEGIlnbpmrRecC=@ \xC3\xA9";
    for (int round = 0; round < 2000; ++round) {
        const std::size_t size = random() % 300;
        // A buffer of its own: a sanitizer sees what is read outside.
        const auto text = std::make_unique<char[]>(size);
        for (std::size_t i = 0; i < size; ++i)
            text[i] = random() % 4 != 0 ? likely[random() % likely.size()] : static_cast<char>(random());
        const char* const begin = text.get();
        const char* const end = begin + size;
        const char* from = begin + (size == 0 ? 0 : random() % size);
        for (const char* p = from; p < end;) {
            std::uint64_t expected = 0;
            const char* const first = anchor_finder_of(anchor_path::portable)(begin, p, end, expected);
            for (const anchor_path path : available_anchor_paths()) {
                std::uint64_t marks = 0;
                const char* const found = anchor_finder_of(path)(begin, p, end, marks);
                REQUIRE(found == first);
                if (found != end) REQUIRE(marks == expected);
            }
            if (first == end) break;
            REQUIRE(expected != 0);
            p = first + std::min<std::ptrdiff_t>(anchor_block, end - first);
        }
    }
}

TEST_CASE("every anchor is marked, at every place of a block") {
    for (const std::string& anchor :
         std::vector<std::string>{"sk-",  "sk_",   "rk_",  "AIza", "AKIA", "ASIA",    "ghp_", "gho_", "ghu_",
                                  "ghs_", "ghr_",  "hf_",  "xoxb", "xapp", "\\u003d", "eyJ",  "EGIN", "lpat",
                                  "npm_", "b_pat", "rer ", "RER ", "sic ", "SIC ",    "=",    "@"}) {
        for (std::size_t before = 0; before < 140; ++before) {
            const std::string text = std::string(before, '.') + anchor;
            for (const anchor_path path : available_anchor_paths()) {
                std::uint64_t marks = 0;
                const char* const end = text.data() + text.size();
                const char* const found = anchor_finder_of(path)(text.data(), text.data(), end, marks);
                REQUIRE(found != end);
                const auto at = static_cast<std::size_t>(found - text.data())
                                + static_cast<std::size_t>(std::countr_zero(marks));
                const std::size_t wanted = anchor.starts_with('\\')               ? before + 2
                                           : anchor == "AKIA" || anchor == "ASIA" ? before + 1
                                                                                  : before;
                REQUIRE(at == wanted);
            }
        }
    }
}

TEST_CASE("a secret is found whatever stands around it, and the rest stays") {
    std::mt19937 random(2);
    const secret_shapes shapes;
    const std::vector<std::string> around{" ",     ", ",        "\\n",      "\\\"", ": ", "(",
                                          ")",     "\xC3\xA9 ", "\\u00fc ", "; ",   "<",  ">",
                                          "text ", " 17 ",      "\\\\ ",    "{",    "}",  "\\t"};
    const auto noise = [&] {
        std::string text;
        for (auto count = random() % 12; count > 0; --count)
            text += around[random() % around.size()];
        return text;
    };
    for (int round = 0; round < 3000; ++round) {
        const std::string& secret = bare_secrets()[random() % bare_secrets().size()];
        const std::string before = noise() + " ";
        // Of an unfinished private key all that follows goes.
        const bool open = secret.starts_with("-----BEGIN");
        const std::string after = open ? "" : " " + noise();
        const std::string front = R"({"timestamp":"T","a":")" + before;
        const std::string back = after + R"(","level":"INFO"})";
        const outcome result = store(front + secret + back, shapes);
        INFO(front + secret + back);
        REQUIRE(sum(result.counts) == 1);
        REQUIRE(result.stored.starts_with(front));
        REQUIRE(result.stored.ends_with(back));
        const std::string middle =
            result.stored.substr(front.size(), result.stored.size() - front.size() - back.size());
        REQUIRE(middle.find("[REDACTED]") != std::string::npos);
        const std::string_view rest = std::string_view(secret).substr(secret.size() - 6);
        const bool shown_on_purpose = secret.ends_with("@host/") || secret.ends_with("&y=1");
        if (!shown_on_purpose) REQUIRE(middle.find(rest) == std::string::npos);
    }
}

TEST_CASE("a secret is found however its characters are spelled") {
    std::mt19937 random(3);
    const secret_shapes shapes;
    const auto spell = [&](const std::string& text, unsigned of_ten) {
        std::string spelled;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\\') {
                spelled += text.substr(i++, 2);
            } else if (random() % 10 < of_ten) {
                char escape[8];
                std::snprintf(escape, sizeof escape, random() % 2 != 0 ? "\\u%04x" : "\\u%04X",
                              static_cast<unsigned>(text[i]));
                spelled += escape;
            } else {
                spelled += text[i] == '/' && of_ten > 0 ? "\\/" : std::string(1, text[i]);
            }
        }
        return spelled;
    };
    for (int round = 0; round < 1500; ++round) {
        const std::string& secret = bare_secrets()[random() % bare_secrets().size()];
        const std::string once = spell(secret, static_cast<unsigned>(round % 11));
        INFO(once);
        const outcome result = store(R"({"timestamp":"T","a":"x )" + once + R"("})", shapes);
        REQUIRE(sum(result.counts) == 1);
        // The same as JSON in a string.
        std::string quoted;
        for (const char c : once) {
            if (c == '\\') quoted += '\\';
            quoted += c;
        }
        const outcome inner = store(R"({"timestamp":"T","a":"{\"b\":\"x )" + quoted + R"(\"}"})", shapes);
        INFO(inner.stored);
        REQUIRE(sum(inner.counts) == 1);
    }
}

TEST_CASE("records without secrets are byte for byte what they were") {
    std::mt19937 random(4);
    const std::vector<std::string> words{
        "bearer",  "basic",        "token", "sk-learn", "eyJ",   "=",    "@",       "http://",
        "key",     "max_tokens=5", "x@y",   "AKIA",     "hf_",   "ghp_", "\\u003d", "\\u0026",
        "\\n",     "\\\\",         "?",     "&",        "user:", "npm_", "-----",   "BEGIN",
        "private", "\xE4\xBD\xA0", "42",    ":"};
    const secret_shapes shapes;
    for (int round = 0; round < 3000; ++round) {
        std::string line = R"({"timestamp":"T","m":")";
        for (auto count = random() % 40; count > 0; --count)
            line += words[random() % words.size()] + " ";
        line += "\"}";
        const outcome result = store(line, shapes);
        REQUIRE(result.stored == line);
        REQUIRE(sum(result.counts) == 0);
    }
}

TEST_CASE("texts made to be slow are not") {
    const secret_shapes shapes;
    constexpr std::size_t size = std::size_t{1} << 20;
    for (const std::string& part : std::vector<std::string>{"@",
                                                            "=",
                                                            "a://@",
                                                            "a://b:c@d ",
                                                            "-eyJ",
                                                            "eyJ.",
                                                            "-eyJaaaaaaaaaa.",
                                                            "-sk-",
                                                            "-sk-a",
                                                            "?key=",
                                                            "&token=",
                                                            "-----BEGIN PRIVATE KEY-----",
                                                            "-----BEGIN PRIVATE KEY-----aaaaaaaaaaaaaaaaaaaa",
                                                            "bearer ",
                                                            "bearer",
                                                            "basic ",
                                                            "basic aaaa",
                                                            "xoxb-",
                                                            "-glpat-",
                                                            "-AIza",
                                                            "?pwd=",
                                                            "\\u0073k-",
                                                            "\\\\u003d",
                                                            "\\\\\\\\",
                                                            "-ghp_",
                                                            "a/b@",
                                                            "//a@",
                                                            "?key=?auth=",
                                                            "AKIA",
                                                            "-github_pat_"}) {
        std::string line = R"({"timestamp":"T","a":")";
        while (line.size() < size)
            line += part;
        line += "\"}";
        const auto begin = std::chrono::steady_clock::now();
        record_scanner scanner;
        record_fields fields;
        std::string out;
        INFO(part);
        REQUIRE_FALSE(
            scanner.scan_record(line, {.timestamp = "T", .content = {.secrets = &shapes}}, out, fields));
        // Quadratic it would be minutes; sanitizers and busy machines are allowed for.
        CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    }
}

TEST_CASE("a malformed line that shows a secret is not quoted") {
    const redaction_keys keys;
    const secret_shapes shapes;
    const auto told = [&](std::string_view message, std::string_view line, std::uint64_t whole) {
        return make_malformed_record(message, line, whole, keys, "T", {.secrets = &shapes});
    };
    for (const std::string& secret : bare_secrets())
        for (const std::string& line : {secret, "{\"a\":\"" + secret, "oops \\n" + secret + " x"}) {
            const std::string record = told("m", line, line.size());
            CAPTURE(record, line);
            CHECK(record.find(R"("raw":"","raw_withheld":true)") != std::string::npos);
        }
    CHECK(told("m", "{\"a\":\"Be\\u0061rer abcdef12", 30).find("raw_withheld") != std::string::npos);
    // The line was cut within the secret.
    for (const char* line : {"Bearer ab", "x ghp_0123", "a://b:c", "/x?api_token=a", "sk-proj-1"}) {
        CAPTURE(line);
        CHECK(told("m", line, 9999).find("raw_withheld") != std::string::npos);
        CHECK(told("m", line, std::strlen(line)).find("raw_withheld") == std::string::npos);
    }
    CHECK(told("m", "oops", 4).find(R"("raw":"oops")") != std::string::npos);
    // Nor is it told in words what stood there.
    const std::string record =
        told("unexpected word 'AKIAIOSFODNN7EXAMPLE', at byte 5", "{\"a\":AKIAIOSFODNN7EXAMPLE}", 26);
    CHECK(record.find("AKIA") == std::string::npos);
    CHECK(record.find(R"("message":"unexpected word, at byte 5")") != std::string::npos);
    CHECK(told("unexpected word 'hunter', at byte 12", "{\"password\":hunter}", 19).find("hunter")
          == std::string::npos);
    CHECK(told("unexpected word 'NaN', at byte 5", "{\"a\":NaN}", 9).find("'NaN'") != std::string::npos);
    CHECK(make_malformed_record("m", "Bearer abcd1234", 15, keys, "T").find("abcd1234") != std::string::npos);
}
