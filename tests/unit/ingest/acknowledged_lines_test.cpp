// SPDX-License-Identifier: MIT
#include "daemon/ingest/acknowledged_lines.hpp"

#include "daemon/ingest/intake.hpp"
#include "tests/support/catch.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

using namespace livelogd;

namespace {

/// One connection, without its socket: bytes in, answers out.
struct connection {
    explicit connection(ingest::client_ledger& ledger) : clients(ledger) {}

    void feed(std::string_view bytes) {
        batch.lines.clear();
        batch.records.clear();
        if (lines) lines->begin_turn();
        intake.feed(bytes, rules, batch);
        ids += batch.records.size();
        if (lines) lines->end_turn(batch.empty() ? std::nullopt : std::optional<protocol::record_id>(ids));
    }
    std::string answers() {
        std::string text;
        if (lines) lines->compose(log, text);
        return text;
    }

    ingest::client_ledger& clients;
    ingest::counters count;
    ingest::policy rules;
    std::optional<ingest::acknowledged_lines> lines;
    ingest::intake intake{1000, count, [this](const protocol::first_line& greeting) {
                              const auto* hello = std::get_if<protocol::hello>(&greeting);
                              lines.emplace(hello != nullptr ? *hello : protocol::hello{}, clients);
                              if (hello == nullptr) lines->refuse("no");
                              return lines->refused() ? nullptr : &*lines;
                          }};
    storage::record_batch batch;
    protocol::record_id ids = 0;
    ingest::progress log;
};

}  // namespace

TEST_CASE("a hello is answered, is no line, and numbers those that follow", "[ingest]") {
    ingest::client_ledger clients;
    connection c(clients);
    c.feed("\n{\"livelog\":1,\"cli");
    CHECK_FALSE(c.lines.has_value());
    c.feed("ent\":\"c\"}\r\n{\"a\":1}\n\n  \n{\"a\":2}\n{\"livelog\":1}\n");
    REQUIRE(c.lines.has_value());
    CHECK(c.batch.records.size() == 3);
    CHECK(c.count.lines == 3);
    CHECK(c.answers() == "{\"have\":0}\n");
    c.log.written(2);
    CHECK(c.answers().empty());  // acknowledged as a whole, as it was read
    c.log.written(3);
    CHECK(c.answers() == "{\"ack\":3}\n");
    CHECK(c.lines->all_acknowledged());
    CHECK(c.answers().empty());
}

TEST_CASE("a hello that is not the first line is a record", "[ingest]") {
    ingest::client_ledger clients;
    connection c(clients);
    c.feed("{\"a\":1}\n{\"livelog\":1}\n");
    CHECK_FALSE(c.lines.has_value());
    CHECK(c.batch.records.size() == 2);
}

TEST_CASE("a first line that is too long or given up is no hello", "[ingest]") {
    ingest::client_ledger clients;
    connection c(clients);
    c.feed("{\"livelog\":1,");
    c.intake.abandon("given up", c.rules, c.batch);
    CHECK(c.batch.records.size() == 1);
    c.feed("}\n{\"livelog\":1}\n");
    CHECK_FALSE(c.lines.has_value());
    CHECK(c.count.lines == 2);
}

TEST_CASE("after a refused hello nothing is taken or counted", "[ingest]") {
    ingest::client_ledger clients;
    connection c(clients);
    c.feed("{\"livelog\":2}\n{\"a\":1}\n");
    c.feed("{\"a\":1}\nhalf");
    c.intake.leave_unfinished();
    CHECK(c.batch.empty());
    CHECK(c.count.lines == 0);
    CHECK(c.answers() == "{\"error\":\"no\"}\n");
    CHECK(c.answers().empty());
}

TEST_CASE("next beyond what is known is refused with the cure", "[ingest]") {
    ingest::client_ledger clients;
    connection c(clients);
    c.feed("{\"livelog\":1,\"client\":\"c\",\"next\":2}\n{\"a\":1}\n");
    CHECK(c.batch.empty());
    const auto told = boost::json::parse(c.answers()).as_object();
    CHECK(std::string(told.at("error").as_string()).find("say hello without \"next\"") != std::string::npos);
    CHECK(clients.size() == 1);
}

TEST_CASE("lines that come again are dropped and acknowledged with the first ones", "[ingest]") {
    ingest::client_ledger clients;
    connection first(clients);
    first.feed("{\"livelog\":1,\"client\":\"c\"}\n{\"a\":1}\n{\"a\":2}\n");
    connection second(clients);
    second.feed("{\"livelog\":1,\"client\":\"c\",\"next\":2}\n{\"a\":2}\nbroken\n");
    CHECK(second.count.lines == 2);
    CHECK(second.count.deduplicated == 1);
    CHECK(second.batch.records.size() == 1);
    CHECK(second.answers() == "{\"have\":2}\n{\"malformed\":3,\"error\":\"not a JSON object, at byte 0\"}\n");
    second.log.written(2);
    CHECK(second.answers() == "{\"ack\":3}\n");
    // The old connection is not told of lines that it has not brought.
    first.log.written(9);
    CHECK(first.answers() == "{\"have\":0}\n{\"ack\":2}\n");
}

TEST_CASE("lines dropped by configuration have numbers and are acknowledged", "[ingest]") {
    ingest::client_ledger clients;
    connection c(clients);
    c.rules.log_api_calls = false;
    c.feed("{\"livelog\":1}\n{\"type\":\"request\"}\n");
    CHECK(c.answers() == "{\"have\":0}\n{\"ack\":1}\n");
    CHECK(c.count.dropped_by_configuration == 1);
    c.feed("{\"a\":1}\n{\"type\":\"response\"}\n");
    CHECK(c.answers().empty());
    c.log.written(1);
    CHECK(c.answers() == "{\"ack\":3}\n");
}

TEST_CASE("malformed lines wait one by one up to a number, then as a count", "[ingest]") {
    ingest::client_ledger clients;
    connection c(clients);
    std::string bytes = "{\"livelog\":1}\n{\"a\":1}\n";
    for (int n = 0; n < 100; ++n)
        bytes += "x\n";
    c.feed(bytes);
    c.feed("{\"a\":1}\nx\n");
    const auto text = c.answers();
    CHECK(std::ranges::count(text, '\n') == 1 + 64 + 1);
    CHECK(text.find("{\"malformed\":2,\"error\":") != std::string::npos);
    CHECK(text.find("{\"malformed\":65,\"error\":") != std::string::npos);
    CHECK(text.ends_with("{\"malformed\":103,\"more\":37}\n"));
    c.feed("x\n");
    CHECK(c.answers().starts_with("{\"malformed\":104,\"error\":"));
}

TEST_CASE("a line without its end is counted, not taken", "[ingest]") {
    ingest::client_ledger clients;
    connection c(clients);
    c.feed("{\"livelog\":1}\n{\"a\":1}\n{\"a\":");
    c.intake.leave_unfinished();
    c.intake.leave_unfinished();
    CHECK(c.count.lines == 2);
    CHECK(c.count.unfinished == 1);
    CHECK_FALSE(c.intake.has_partial_line());
    c.log.written(1);
    CHECK(c.answers() == "{\"have\":0}\n{\"ack\":1}\n");
}
