// SPDX-License-Identifier: MIT
#include "daemon/ingest/intake.hpp"

#include "daemon/ingest/own_record.hpp"
#include "tests/support/catch.hpp"

#include <boost/json/parse.hpp>

#include <random>

using namespace livelogd;

namespace {

struct connection {
    explicit connection(std::size_t max_record_bytes = 1000) : intake(max_record_bytes, count) {}

    std::vector<std::string> stored() const {
        std::vector<std::string> lines;
        std::string_view rest = batch.lines;
        for (const auto& r : batch.records) {
            lines.emplace_back(rest.substr(0, r.size - 1));
            CHECK(rest[r.size - 1] == '\n');
            rest.remove_prefix(r.size);
        }
        CHECK(rest.empty());
        return lines;
    }

    ingest::counters count;
    ingest::intake intake;
    ingest::policy rules;
    storage::record_batch batch;
};

const std::string first = R"({"timestamp":"2025-06-26T10:30:45","level":"INFO","n":1})";
const std::string second = R"({"timestamp":"2025-06-26T10:30:46","level":"ERROR","type":"x"})";

}  // namespace

TEST_CASE("records are stored as sent, however the bytes arrive", "[ingest]") {
    const std::string bytes = first + "\n\r\n\n" + second + "\r\n" + first;
    for (std::size_t step = 1; step <= bytes.size(); step += step < 8 ? 1 : 13) {
        INFO(step);
        connection c;
        for (std::size_t i = 0; i < bytes.size(); i += step) {
            c.intake.feed(std::string_view(bytes).substr(i, step), c.rules, c.batch);
        }
        CHECK(c.intake.has_partial_line());
        c.intake.finish(c.rules, c.batch);
        CHECK(c.stored() == std::vector<std::string>{first, second, first});
        CHECK(c.count.lines == 3);
    }
}

TEST_CASE("the digest goes with the record", "[ingest]") {
    connection c;
    c.intake.feed(first + "\n" + second + "\n", c.rules, c.batch);
    REQUIRE(c.batch.records.size() == 2);
    CHECK_FALSE(c.batch.records[0].digest.error);
    CHECK(c.batch.records[1].digest.error);
    CHECK(c.batch.records[1].digest.type_in(second) == "x");
}

TEST_CASE("a line that is no record becomes one about itself", "[ingest]") {
    connection c;
    c.intake.feed("{\"a\":tru}\n" + first + "\n", c.rules, c.batch);
    const auto lines = c.stored();
    REQUIRE(lines.size() == 2);
    const auto told = boost::json::parse(lines[0]).as_object();
    CHECK(told.at("type") == "malformed");
    CHECK(told.at("level") == "WARNING");
    CHECK(told.at("module") == "livelogd");
    CHECK(told.at("raw") == "{\"a\":tru}");
    CHECK(told.at("raw_bytes") == 9);
    CHECK(std::string(told.at("message").as_string()).find("at byte 8") != std::string::npos);
    CHECK(lines[1] == first);
    CHECK(c.count.malformed == 1);
}

TEST_CASE("a line over the limit is told by its beginning and length", "[ingest]") {
    connection c(100);
    const std::string line = R"({"a":")" + std::string(5000, 'x') + "\"}";
    for (std::size_t i = 0; i < line.size(); i += 7)
        c.intake.feed(line.substr(i, 7), c.rules, c.batch);
    CHECK(c.intake.held_bytes() <= 4096);
    c.intake.feed("\n" + first + "\n", c.rules, c.batch);
    const auto lines = c.stored();
    REQUIRE(lines.size() == 2);
    const auto told = boost::json::parse(lines[0]).as_object();
    CHECK(told.at("raw_bytes") == line.size());
    CHECK(told.at("raw").as_string().size() <= 4096);
    CHECK(std::string(told.at("message").as_string()).find("max_record_bytes") != std::string::npos);
    CHECK(lines[1] == first);
}

TEST_CASE("secrets are gone before anything is stored", "[ingest]") {
    connection c;
    c.intake.feed(R"({"timestamp":"t","headers":{"Authorization":"Bearer abc"},"max_tokens":5})"
                  "\n"
                  R"({"password":"hunter2" oops)"
                  "\n",
                  c.rules, c.batch);
    const auto lines = c.stored();
    REQUIRE(lines.size() == 2);
    CHECK(lines[0] == R"({"timestamp":"t","headers":{"Authorization":"[REDACTED]"},"max_tokens":5})");
    CHECK(lines[1].find("hunter2") == std::string::npos);
    CHECK(lines[1].find(R"("raw_withheld":true)") != std::string::npos);
}

TEST_CASE("secrets are told by their form in any line of a block, and in one that comes in pieces",
          "[ingest]") {
    const std::string plain = R"({"timestamp":"t","a":"b=c"})";
    const std::string secret = R"({"timestamp":"t","key":"sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD"})";
    const std::string hidden = R"({"timestamp":"t","key":"[REDACTED]"})";
    const std::vector<std::string> sent{plain, secret, plain, plain, secret, secret, plain};
    std::string block;
    for (const std::string& line : sent)
        block += line + '\n';
    for (std::size_t cut = 0; cut <= block.size(); ++cut) {
        connection c;
        c.intake.feed(std::string_view(block).substr(0, cut), c.rules, c.batch);
        c.intake.feed(std::string_view(block).substr(cut), c.rules, c.batch);
        CHECK(c.stored() == std::vector<std::string>{plain, hidden, plain, plain, hidden, hidden, plain});
        CHECK(c.count.redactions[static_cast<std::size_t>(livelogd::protocol::secret_rule::openai)] == 3);
    }
}

TEST_CASE("API calls can be left out", "[ingest]") {
    connection c;
    c.rules.log_api_calls = false;
    c.intake.feed(
        "{\"type\":\"request\"}\n{\"type\":\"response\"}\n" + first + "\n{\"type\":\"re\\u0071uest\"}\n",
        c.rules, c.batch);
    CHECK(c.stored() == std::vector<std::string>{first});
    CHECK(c.count.dropped_by_configuration == 3);
}

TEST_CASE("an abandoned line is told, its rest is skipped", "[ingest]") {
    connection c;
    c.intake.feed("{\"half\":", c.rules, c.batch);
    c.intake.abandon("the line was given up", c.rules, c.batch);
    CHECK_FALSE(c.intake.has_partial_line());
    CHECK(c.intake.held_bytes() == 0);
    c.intake.feed("1}\n" + first + "\n", c.rules, c.batch);
    const auto lines = c.stored();
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].find("the line was given up, at byte 8") != std::string::npos);
    CHECK(lines[1] == first);

    connection nothing;
    nothing.intake.abandon("the line was given up", nothing.rules, nothing.batch);
    CHECK(nothing.batch.empty());
}

TEST_CASE("the daemon's own records are records", "[ingest]") {
    const auto batch = ingest::own_record("tail_cut", "a \"message\"", {{"torn_bytes", 5}}, {});
    REQUIRE(batch.records.size() == 1);
    const auto record = boost::json::parse(batch.lines).as_object();
    CHECK(record.begin()->key() == "timestamp");
    CHECK(record.at("type") == "livelogd");
    CHECK(record.at("event") == "tail_cut");
    CHECK(record.at("message") == "a \"message\"");
    CHECK(record.at("torn_bytes") == 5);
}
