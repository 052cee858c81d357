// SPDX-License-Identifier: MIT
#include "protocol/llm_fields.hpp"

#include "protocol/json_walk.hpp"
#include "protocol/scan.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/protocol/vectors.hpp"

#include <boost/json.hpp>

#include <map>
#include <string>

using namespace livelogd::protocol;
using livelogd::test::read_vectors;
using livelogd::test::text_of;

namespace {

using known = std::map<std::string, std::string>;

/// The values that are known, by name, as text.
known known_fields(const llm_fields& fields) {
    known told;
    const auto text = [&](const char* name, const std::string& value) {
        if (!value.empty()) told[name] = value;
    };
    const auto number = [&](const char* name, std::optional<std::uint64_t> value) {
        if (value) told[name] = std::to_string(*value);
    };
    text("asked_model", fields.asked_model);
    text("answered_model", fields.answered_model);
    text("finish_reason", fields.finish_reason);
    number("input_tokens", fields.input_tokens);
    number("cached_tokens", fields.cached_tokens);
    number("output_tokens", fields.output_tokens);
    number("reasoning_tokens", fields.reasoning_tokens);
    number("prefill_tokens", fields.prefill_tokens);
    number("decode_tokens", fields.decode_tokens);
    number("queue_ns", fields.queue_ns);
    number("load_ns", fields.load_ns);
    number("prefill_ns", fields.prefill_ns);
    number("decode_ns", fields.decode_ns);
    number("first_token_ns", fields.first_token_ns);
    return told;
}

/// What `line` says; it must be a record. Says the same through read_llm_models(), and with the line's
/// fields.
known read(const std::string& line) {
    CAPTURE(line);
    record_scanner scanner;
    record_fields scanned;
    REQUIRE_FALSE(scanner.scan_record(line, scanned).has_value());
    const llm_fields fields = read_llm_fields(line);
    const llm_models models = read_llm_models(line);
    CHECK(models.asked == fields.asked_model);
    CHECK(models.answered == fields.answered_model);
    CHECK(known_fields(read_llm_fields(line, scanned)) == known_fields(fields));
    CHECK(read_llm_models(line, scanned).asked == models.asked);
    CHECK(read_llm_models(line, scanned).answered == models.answered);
    CHECK(fields.model() == (fields.answered_model.empty() ? fields.asked_model : fields.answered_model));
    return known_fields(fields);
}

known expected_fields(const livelogd::test::vector_case& test) {
    known told;
    for (const auto& [name, value] : test.at("fields").as_object())
        told[std::string(name)] =
            value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
    return told;
}

/// `line` with white space around every token.
std::string spaced(const std::string& line) {
    std::string result = " ";
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"') {
            bool escaped = false;
            const char* const begin = line.data() + i;
            const char* const after = after_json_string(begin, line.data() + line.size(), escaped);
            result.append(begin, after).append("\t ");
            i += static_cast<std::size_t>(after - begin) - 1;
        } else if (std::string_view("{}[],:").find(line[i]) != std::string_view::npos) {
            result.append(" ").append(1, line[i]).append("\r ");
        } else {
            result.push_back(line[i]);
        }
    }
    return result;
}

/// `line` with another response_body.
std::string with_body(const std::string& line, const std::string& body) {
    const json_token found = member_of(first_value(line), "response_body");
    const auto begin = static_cast<std::size_t>(found.text.data() - line.data());
    return line.substr(0, begin) + body + line.substr(begin + found.text.size());
}

std::string in_quotes(std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
}

}  // namespace

TEST_CASE("golden answers of model servers") {
    for (const auto& test : read_vectors("llm.jsonl")) {
        CAPTURE(text_of(test, "name"), text_of(test, "working"));
        CHECK_FALSE(text_of(test, "source").empty());
        const std::string line = text_of(test, "line");
        const known expected = expected_fields(test);
        CHECK(read(line) == expected);
        CHECK(read(spaced(line)) == expected);
    }
}

TEST_CASE("golden records of client packages, streamed answers among them") {
    int tried = 0;
    for (const char* file : {"streams.jsonl", "client_records.jsonl"}) {
        for (const auto& test : read_vectors(file)) {
            if (!test.contains("fields")) continue;
            CAPTURE(file, text_of(test, "name"));
            ++tried;
            CHECK(read(text_of(test, "line")) == expected_fields(test));
        }
    }
    CHECK(tried > 10);
}

TEST_CASE("a body says the same as an object, as text, and among pieces that say nothing") {
    int bodies = 0;
    for (const auto& test : read_vectors("llm.jsonl")) {
        const std::string line = text_of(test, "line");
        const json_token body = member_of(first_value(line), "response_body");
        if (body.kind != json_kind::object) continue;
        CAPTURE(text_of(test, "name"));
        ++bodies;
        const known expected = expected_fields(test);
        const std::string object(body.text);
        CHECK(read(with_body(line, in_quotes(object))) == expected);
        CHECK(read(with_body(line, in_quotes(spaced(object)))) == expected);
        CHECK(read(with_body(line, "[" + object + "]")) == expected);
        CHECK(read(with_body(line, "[{}, 1, " + object + ",{\"usage\":null},[]]")) == expected);
        CHECK(read(with_body(line, in_quotes("[{}," + object + "]"))) == expected);
        CHECK(read(with_body(line, in_quotes("data: " + object))) == expected);
        CHECK(
            read(with_body(line, in_quotes("event: x\ndata: {}\n\ndata:" + object + "\r\n\r\ndata: [DONE]")))
            == expected);
        CHECK(read(with_body(line, in_quotes("{\"a\":0}\n" + object + "\n{}\n"))) == expected);
    }
    CHECK(bodies > 20);
}

TEST_CASE("what counts as a measure") {
    const auto has_measure = [](const char* line) { return read_llm_fields(line).has_measure(); };
    CHECK_FALSE(has_measure(R"({})"));
    CHECK_FALSE(has_measure(R"({"model":"m","finish_reason":"stop","request_body":{"model":"m"}})"));
    CHECK_FALSE(has_measure(R"({"duration_ms":5,"status_code":200})"));
    CHECK(has_measure(R"({"input_tokens":0})"));
    CHECK(has_measure(R"({"cached_tokens":0})"));
    CHECK(has_measure(R"({"output_tokens":0})"));
    CHECK(has_measure(R"({"reasoning_tokens":0})"));
    CHECK(has_measure(R"({"metrics":{"queue_time_ms":0}})"));
    CHECK(has_measure(R"({"load_duration":0})"));
    CHECK(has_measure(R"({"prompt_eval_duration":0})"));
    CHECK(has_measure(R"({"eval_duration":0})"));
    CHECK(has_measure(R"({"ttft_ms":0})"));
}

TEST_CASE("the first and the last lines of a long stream are found") {
    std::string stream = R"(data: {"message":{"model":"m","usage":{"input_tokens":7,"output_tokens":1}}})"
                         "\n\n";
    for (int i = 0; i < 20'000; ++i)
        stream += R"(data: {"type":"delta","delta":{"text":"a \"quoted\" word"},"index":)" + std::to_string(i)
                  + "}\n\n";
    stream += R"(data: {"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":20000}})"
              "\n\n";
    const known expected = {{"answered_model", "m"},
                            {"input_tokens", "7"},
                            {"output_tokens", "20000"},
                            {"finish_reason", "end_turn"}};
    CHECK(read(R"({"type":"response","response_body":)" + in_quotes(stream) + "}") == expected);
}

TEST_CASE("many keys of one name are no work of another order") {
    std::string line = "{";
    for (int i = 0; i < 50'000; ++i)
        line += R"("response_body":[{"usage":{"prompt_tokens":1}}],"usage":{"completion_tokens":)"
                + std::to_string(i) + "},";
    line.back() = '}';
    CHECK(read(line) == known{{"input_tokens", "1"}, {"output_tokens", "49999"}});
}

TEST_CASE("a body that is cut off anywhere says what its whole lines say") {
    const std::string first = R"({"model":"m","prompt_eval_count":3,"done":false})";
    const std::string second = R"({"model":"m","eval_count":5,"eval_duration":70,"done":true})";
    const std::string stream = first + "\n" + second;
    for (std::size_t size = 0; size <= stream.size(); ++size) {
        CAPTURE(size);
        known expected;
        if (size >= first.size()) expected = {{"answered_model", "m"}, {"input_tokens", "3"}};
        if (size == stream.size()) {
            expected["output_tokens"] = expected["decode_tokens"] = "5";
            expected["decode_ns"] = "70";
        }
        CHECK(read(R"({"response_body":)" + in_quotes(stream.substr(0, size)) + "}") == expected);
    }
}
