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
    ingest::gate gate(1000);
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

TEST_CASE("a gate that is held open lets everybody through", "[ingest]") {
    net::asio::io_context context;
    ingest::gate gate(10);
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
