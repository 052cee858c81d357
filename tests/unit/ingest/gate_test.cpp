// SPDX-License-Identifier: MIT
#include "daemon/ingest/gate.hpp"
#include "daemon/ingest/line_budget.hpp"

#include "tests/support/catch.hpp"

#include <boost/asio/io_context.hpp>

using namespace livelogd;

namespace {

struct waiter {
    waiter(ingest::gate& gate, net::asio::io_context& context) {
        gate.async_wait_open(context.get_executor(), [this](net::error_code) { through = true; });
        poll(context);
    }
    static void poll(net::asio::io_context& context) {
        context.restart();
        context.poll();
    }
    bool through = false;
};

}  // namespace

TEST_CASE("the gate closes at its limit and opens at half of it", "[ingest]") {
    net::asio::io_context context;
    ingest::gate gate({.flowing = 1000, .failing = 1000});
    CHECK(gate.open());
    gate.add(999);
    CHECK(gate.open());
    gate.add(500);
    CHECK_FALSE(gate.open());
    waiter one(gate, context);
    waiter two(gate, context);
    CHECK_FALSE(one.through);
    gate.remove(600);
    waiter::poll(context);
    CHECK_FALSE(one.through);
    gate.remove(500);
    waiter::poll(context);
    CHECK(one.through);
    CHECK(two.through);
}

TEST_CASE("while storing fails the gate has another limit", "[ingest]") {
    net::asio::io_context context;
    ingest::gate gate({.flowing = 100, .failing = 1000});
    gate.add(100);
    CHECK_FALSE(gate.open());
    waiter at_once(gate, context);
    CHECK_FALSE(at_once.through);
    gate.set_failing(true);
    waiter::poll(context);
    CHECK(at_once.through);
    gate.add(900);
    waiter until_over(gate, context);
    CHECK_FALSE(until_over.through);
    // It is over: what waits is more than may wait now, until it has been written.
    gate.set_failing(false);
    gate.remove(500);
    waiter::poll(context);
    CHECK_FALSE(until_over.through);
    gate.remove(450);
    waiter::poll(context);
    CHECK(until_over.through);
}

TEST_CASE("a gate that is held open lets everybody through", "[ingest]") {
    net::asio::io_context context;
    ingest::gate gate({.flowing = 10, .failing = 10});
    gate.add(100);
    waiter early(gate, context);
    CHECK_FALSE(early.through);
    gate.hold_open();
    waiter late(gate, context);
    CHECK(early.through);
    CHECK(late.through);
    CHECK(gate.open());
}

TEST_CASE("while memory for half lines is scarce the oldest line goes on", "[ingest]") {
    ingest::line_budget budget(100);
    ingest::line_budget::share first(budget);
    ingest::line_budget::share second(budget);
    ingest::line_budget::share idle(budget);
    first.set(60);
    second.set(30);
    CHECK_FALSE(budget.scarce());
    CHECK(second.may_grow());
    second.set(50);
    CHECK(budget.scarce());
    CHECK(first.may_grow());
    CHECK_FALSE(second.may_grow());
    CHECK(idle.may_grow());
    first.set(0);
    CHECK(second.may_grow());
    first.set(90);
    CHECK(budget.scarce());
    CHECK(second.may_grow());  // now it is the one that began first
    CHECK_FALSE(first.may_grow());
    {
        ingest::line_budget::share gone(budget);
        gone.set(1000);
    }
    second.set(0);
    CHECK_FALSE(budget.scarce());
}
