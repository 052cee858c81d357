// SPDX-License-Identifier: MIT
// What is kept of bodies, and that the numbers in them are.
#include "protocol/bodies.hpp"

#include "protocol/json_walk.hpp"
#include "protocol/llm_fields.hpp"
#include "protocol/scan.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/protocol/vectors.hpp"

#include <map>

using namespace livelogd::protocol;

namespace {

std::string store(std::string_view line, const body_rules& rules) {
    static record_scanner scanner;
    const secret_shapes shapes;
    std::string stored;
    digest_fields fields;
    const auto error = scanner.scan_record(
        line, {.timestamp = "T", .content = {.secrets = &shapes, .bodies = &rules}}, stored, fields);
    if (error) FAIL(error->reason << " of " << line);
    record_fields again;
    REQUIRE_FALSE(scanner.scan_record(stored, again).has_value());
    CHECK(again.type.text == fields.type.text);
    CHECK(again.level.text == fields.level.text);
    return stored;
}

constexpr body_rules off{.how = body_logging::off};

body_rules cut(std::size_t limit) {
    return {.how = body_logging::truncated, .limit = limit};
}

bool same(const llm_fields& a, const llm_fields& b) {
    return a.model() == b.model() && a.asked_model == b.asked_model && a.input_tokens == b.input_tokens
           && a.cached_tokens == b.cached_tokens && a.output_tokens == b.output_tokens
           && a.reasoning_tokens == b.reasoning_tokens && a.prefill_tokens == b.prefill_tokens
           && a.decode_tokens == b.decode_tokens && a.queue_ns == b.queue_ns && a.load_ns == b.load_ns
           && a.prefill_ns == b.prefill_ns && a.decode_ns == b.decode_ns
           && a.first_token_ns == b.first_token_ns && a.finish_reason == b.finish_reason;
}

/// `expected` with the size of the line's body in the place of '#'.
std::string with_size(std::string expected, std::string_view line) {
    const json_token record = first_value(line);
    json_token body = member_of(record, "response_body");
    if (body.kind == json_kind::absent) body = member_of(record, "request_body");
    const std::size_t at = expected.find('#');
    return at == std::string::npos ? expected : expected.replace(at, 1, std::to_string(body.text.size()));
}

}  // namespace

TEST_CASE("full bodies are left alone") {
    const std::string line =
        R"({"timestamp":"T","request_body":{"a":"long enough to be cut"},"response_body":"x"})";
    CHECK(store(line, {.how = body_logging::full, .limit = 2}) == line);
}

TEST_CASE("off keeps models, tokens, times and error types, and the size") {
    const std::map<std::string, std::string> cases{
        {R"({"timestamp":"T","request_body":{"model":"m","prompt":"secret","temperature":0.5},"level":"INFO"})",
         R"({"timestamp":"T","request_body":{"livelog_body_bytes":#,"model":"m"},"level":"INFO"})"},
        {R"({"timestamp":"T","response_body":{"text":"secret","context":[1,2],"usage":{"prompt_tokens":3,"note":"s"},"choices":[{"text":"s","finish_reason":"stop"},{"x":1}]}})",
         R"({"timestamp":"T","response_body":{"livelog_body_bytes":#,"usage":{"prompt_tokens":3},"choices":[{"finish_reason":"stop"}]}})"},
        {R"({"timestamp":"T","response_body":{"error":"it","error_type":"KeyError","message":{"model":"m","content":"s","message":{"model":"n"}}}})",
         R"({"timestamp":"T","response_body":{"livelog_body_bytes":#,"error_type":"KeyError","message":{"model":"m"}}})"},
        // A number's place holds no text, a model's name no story.
        {R"({"timestamp":"T","response_body":{"prompt_tokens":"a text","model":5}})",
         R"({"timestamp":"T","response_body":{"livelog_body_bytes":36}})"},
        {R"({"timestamp":"T","response_body":{"model":")" + std::string(300, 'x') + R"("}})",
         R"({"timestamp":"T","response_body":{"livelog_body_bytes":312}})"},
        {R"({"timestamp":"T","request_body":"text","response_body":null})",
         R"({"timestamp":"T","request_body":{"livelog_body_bytes":6},"response_body":null})"},
        {R"({"timestamp":"T","request_body":[1,2],"response_body":17})",
         R"({"timestamp":"T","request_body":{"livelog_body_bytes":5},"response_body":{"livelog_body_bytes":2}})"},
        {R"({"timestamp":"T","response_body":"{\"usage\":{\"completion_tokens\":4},\"x\":\"y\"}"})",
         R"({"timestamp":"T","response_body":{"livelog_body_bytes":#,"usage":{"completion_tokens":4}}})"},
        {R"({"timestamp":"T","response_body":"data: {\"model\":\"m\",\"x\":1}\n\ndata: {\"model\":\"m\",\"x\":2}\n\ndata: {\"timings\":{\"prompt_n\":1}}\n\ndata: [DONE]\n"})",
         R"({"timestamp":"T","response_body":[{"livelog_body_bytes":#,"model":"m"},{"timings":{"prompt_n":1}}]})"},
        {R"({"timestamp":"T","r\u0065quest_body":{"a":"b"},"inner":{"request_body":"stays"}})",
         R"({"timestamp":"T","r\u0065quest_body":{"livelog_body_bytes":9},"inner":{"request_body":"stays"}})"},
        {R"({"request_body":"x"})", R"({"timestamp":"T","request_body":{"livelog_body_bytes":3}})"},
    };
    for (const auto& [line, expected] : cases)
        CHECK(store(line, off) == with_size(expected, line));
}

TEST_CASE("truncated cuts strings in bodies and tells their sizes") {
    CHECK(
        store(
            R"({"timestamp":"T","m":"0123456789","request_body":{"a":["0123456789","01234"],"n":12345678901},"z":1})",
            cut(8))
        == R"({"timestamp":"T","m":"0123456789","request_body":{"a":["01234567…","01234"],"n":12345678901},"z":1,"livelog_truncated":{"request_body.a.0":10}})");
    CHECK(
        store(R"({"timestamp":"T","response_body":"0123456789","request_body":["0123456789"]})", cut(8))
        == R"({"timestamp":"T","response_body":"01234567…","request_body":["01234567…"],"livelog_truncated":{"response_body":10,"request_body.0":10}})");
    // Neither within an escape nor within a character.
    CHECK(
        store(R"({"timestamp":"T","response_body":"0123456\u00fc","request_body":"0123456ü"})", cut(8))
        == R"({"timestamp":"T","response_body":"0123456…","request_body":"0123456…","livelog_truncated":{"response_body":13,"request_body":9}})");
    const std::string short_one = R"({"timestamp":"T","response_body":{"a":"01234567"},"request_body":null})";
    CHECK(store(short_one, cut(8)) == short_one);
    // A secret that the cut would halve is redacted first.
    CHECK(store(R"({"timestamp":"T","response_body":"x AKIAIOSFODNN7EXAMPLE"})", cut(20))
          == R"({"timestamp":"T","response_body":"x [REDACTED]"})");
}

TEST_CASE("a long body that is a string keeps what is read of it") {
    const std::string object = R"({"timestamp":"T","response_body":"{\"text\":\")" + std::string(100, 'x')
                               + R"(\",\"usage\":{\"prompt_tokens\":7}}"})";
    CHECK(
        store(object, cut(16))
        == with_size(
            R"({"timestamp":"T","response_body":{"livelog_body_bytes":#,"livelog_body_beginning":"{\"text\":\"xxxx…","usage":{"prompt_tokens":7}}})",
            object));
    const std::string stream =
        R"({"timestamp":"T","response_body":"data: {\"model\":\"m\"}\n\ndata: {\"usage\":{\"prompt_tokens\":7}}\n\n"})";
    CHECK(
        store(stream, cut(16))
        == with_size(
            R"({"timestamp":"T","response_body":[{"livelog_body_bytes":#,"livelog_body_beginning":"data: {\"model\"…","model":"m"},{"usage":{"prompt_tokens":7}}]})",
            stream));
}

TEST_CASE("the numbers of model servers are those of the full record") {
    std::size_t with_measure = 0;
    for (const char* file : {"llm.jsonl", "streams.jsonl"})
        for (const auto& test : livelogd::test::read_vectors(file)) {
            const std::string line = livelogd::test::text_of(test, "line");
            const std::string plain = store(line, {});
            const llm_fields full = read_llm_fields(plain);
            with_measure += full.has_measure() ? 1U : 0U;
            for (const body_rules& rules : {off, cut(256), cut(1000)}) {
                const std::string kept = store(line, rules);
                INFO(livelogd::test::text_of(test, "name"));
                INFO(plain);
                INFO(kept);
                CHECK(same(read_llm_fields(kept), full));
            }
        }
    CHECK(with_measure > 20);
}
