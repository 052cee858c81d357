// SPDX-License-Identifier: MIT
#include "daemon/ingest/client_ledger.hpp"

#include "daemon/ingest/acknowledged_lines.hpp"
#include "tests/support/catch.hpp"

#include <map>
#include <random>
#include <vector>

using namespace livelogd;
using protocol::ack_level;
using membership = ingest::client_ledger::membership;

namespace {

protocol::line_number have(const membership& client) {
    const auto lock = client.lines().lock();
    return client.lines().have();
}

protocol::line_number acknowledged(const membership& client, protocol::record_id reached) {
    const auto lock = client.lines().lock();
    return client.lines().acknowledged(reached);
}

void took(const membership& client, protocol::line_number last, std::optional<protocol::record_id> end_id) {
    const auto lock = client.lines().lock();
    client.lines().took(last, end_id);
}

}  // namespace

TEST_CASE("lines are acknowledged once their records are reached", "[ingest]") {
    ingest::client_ledger ledger;
    membership one(ledger, "one");
    CHECK(have(one) == 0);
    CHECK(acknowledged(one, 1000) == 0);
    took(one, 3, 103);
    took(one, 5, 105);
    CHECK(have(one) == 5);
    CHECK(acknowledged(one, 102) == 0);
    CHECK(acknowledged(one, 104) == 3);
    CHECK(one.lines().awaited() == 105);
    CHECK(acknowledged(one, 105) == 5);
    CHECK(one.lines().awaited() == std::nullopt);
}

TEST_CASE("lines that leave no record wait only for those before them", "[ingest]") {
    ingest::client_ledger ledger;
    membership one(ledger, "one");
    took(one, 2, std::nullopt);
    CHECK(acknowledged(one, 0) == 2);
    took(one, 3, 103);
    took(one, 4, std::nullopt);
    CHECK(acknowledged(one, 102) == 2);
    CHECK(acknowledged(one, 103) == 4);
}

TEST_CASE("clients are apart, connections of one client are not, nameless ones always are", "[ingest]") {
    ingest::client_ledger ledger;
    membership one(ledger, "one");
    membership again(ledger, "one");
    membership other(ledger, "other");
    membership nameless(ledger, "");
    membership nameless_too(ledger, "");
    took(one, 3, 103);
    took(nameless, 7, 107);
    CHECK(have(again) == 3);
    CHECK(have(other) == 0);
    CHECK(have(nameless_too) == 0);
    CHECK(ledger.size() == 2);
}

TEST_CASE("a client that comes back is known, one that never sent anything is not kept", "[ingest]") {
    ingest::client_ledger ledger;
    {
        membership one(ledger, "one");
        took(one, 3, 103);
        took(one, 4, 104);
        const membership silent(ledger, "silent");
    }
    CHECK(ledger.size() == 1);
    membership one(ledger, "one");
    CHECK(have(one) == 4);
    // What was waited for while it was away is asked for as a whole.
    CHECK(acknowledged(one, 103) == 0);
    CHECK(acknowledged(one, 104) == 4);
}

TEST_CASE("of clients without a connection the one that left first is forgotten first", "[ingest]") {
    ingest::client_ledger ledger(3);
    membership connected(ledger, "connected");
    took(connected, 1, 101);
    const auto visit = [&](const std::string& name) {
        const membership client(ledger, name);
        const auto before = have(client);
        took(client, before + 1, 200);
        return before;
    };
    for (const auto* name : {"a", "b", "c"})
        CHECK(visit(name) == 0);
    CHECK(visit("a") == 1);
    CHECK(visit("d") == 0);  // b goes
    CHECK(ledger.size() == 4);
    CHECK(visit("c") == 1);
    CHECK(visit("a") == 2);
    CHECK(visit("b") == 0);
    CHECK(ledger.size() == 4);
    CHECK(have(connected) == 1);
}

TEST_CASE("the strictest level holds for a client, also for lines from before", "[ingest]") {
    ingest::client_ledger ledger;
    membership one(ledger, "one");
    took(one, 3, 103);
    took(one, 5, 105);
    CHECK(acknowledged(one, 103) == 3);
    {
        const auto lock = one.lines().lock();
        one.lines().require(ack_level::durable);
        one.lines().require(ack_level::written);
        CHECK(one.lines().level() == ack_level::durable);
    }
    // From here on `reached` is what has been synced.
    CHECK(acknowledged(one, 90) == 0);
    CHECK(acknowledged(one, 103) == 0);
    CHECK(acknowledged(one, 105) == 5);
}

TEST_CASE("a client's memory is bounded, and nothing is acknowledged too early", "[ingest]") {
    ingest::client_ledger ledger;
    membership one(ledger, "one");
    std::mt19937 random(4);
    protocol::line_number line = 0;
    protocol::record_id id = 1000;
    std::map<protocol::line_number, protocol::record_id> truth;
    protocol::line_number told = 0;
    protocol::record_id reached = 0;
    for (int i = 0; i < 20000; ++i) {
        line += 1 + random() % 5;
        id += 1 + random() % 5;
        truth[line] = id;
        took(one, line, id);
        if (random() % 4000 == 0) reached = reached + (id - reached) / 2;
        const auto now = acknowledged(one, reached);
        REQUIRE(now >= told);
        told = now;
        // All of it is reached.
        if (told > 0) REQUIRE(truth.at(told) <= reached);
    }
    CHECK(acknowledged(one, id) == line);
}

// A sender that loses its connection at random and sends again what it was not told of, over connections that
// may overlap: what is taken is each of its lines once, in order.
TEST_CASE("over any connections each line is taken once and in order", "[ingest][model]") {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        ingest::client_ledger ledger(random() % 3);
        ingest::progress log;
        struct connection {
            std::unique_ptr<ingest::acknowledged_lines> lines;
            protocol::line_number next = 1;  // that is in its socket next
            protocol::line_number end = 1;   // behind what the sender has put into it
        };
        std::vector<connection> connections;
        std::vector<protocol::line_number> taken;
        protocol::line_number acked = 0;
        const auto read_answers = [&](connection& c) {
            std::string text;
            c.lines->compose(log, text);
            const auto at = text.rfind("{\"ack\":");
            if (at == std::string::npos) return;
            const protocol::line_number n = std::stoull(text.substr(at + 7));
            REQUIRE(n <= taken.size());
            acked = std::max(acked, n);
        };
        for (int step = 0; step < 60; ++step) {
            const auto what = random() % 10;
            if (connections.empty() || what == 0) {
                // The new one opens before the old ones have gone; their rest may still be read.
                connection fresh;
                const bool names_next = !connections.empty() && random() % 2 == 0;
                protocol::hello greeting{ack_level::written, "client", std::nullopt};
                if (names_next) greeting.next = acked + 1;
                const auto first = names_next ? acked + 1 : taken.size() + 1;
                fresh.lines = std::make_unique<ingest::acknowledged_lines>(greeting, ledger);
                REQUIRE_FALSE(fresh.lines->refused());
                fresh.lines->end_turn(std::nullopt);
                fresh.next = fresh.end = first;
                connections.push_back(std::move(fresh));
            } else if (what == 1 && connections.size() > 1) {
                connections.erase(connections.begin()
                                  + static_cast<std::ptrdiff_t>(random() % connections.size()));
            } else if (what < 5) {
                auto& newest = connections.back();
                newest.end += random() % 6;
            } else if (what < 9) {
                auto& c = connections[random() % connections.size()];
                c.lines->begin_turn();
                bool some = false;
                for (auto n = random() % 5; n > 0 && c.next < c.end; --n, ++c.next) {
                    if (!c.lines->claim()) continue;
                    taken.push_back(c.next);
                    some = true;
                }
                c.lines->end_turn(some ? std::optional<protocol::record_id>(1000 + taken.size())
                                       : std::nullopt);
            } else {
                log.written(1000 + random() % (taken.size() + 1));
                read_answers(connections[random() % connections.size()]);
            }
        }
        for (std::size_t i = 0; i < taken.size(); ++i)
            REQUIRE(taken[i] == i + 1);
        log.written(1000 + taken.size());
        for (auto& c : connections)
            read_answers(c);
        for (auto& c : connections)
            REQUIRE(c.lines->all_acknowledged());
    }
}
