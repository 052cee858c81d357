// SPDX-License-Identifier: MIT
#include "daemon/live/broadcaster.hpp"

#include "tests/support/batches.hpp"
#include "tests/support/catch.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <thread>

using namespace livelogd;
using namespace std::chrono_literals;
using live::pulled;

namespace {

storage::shared_records batch(std::size_t records, std::size_t padding = 10) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < records; ++i) {
        lines.push_back(test::numbered(i, R"(,"pad":")" + std::string(padding, 'x') + "\""));
    }
    return std::make_shared<const storage::record_batch>(test::batch_of(lines));
}

struct cursor {
    cursor(live::broadcaster& from, net::asio::io_context& c)
        : context(c), end(from.subscribe(c.get_executor())) {}
    void pull(protocol::record_id position, std::chrono::milliseconds patience = 1h,
              bool takes_status = true) {
        result.reset();
        end.async_pull(position, std::chrono::steady_clock::now() + patience, takes_status,
                       [this](pulled p) { result = std::move(p); });
        settle();
    }
    void settle() {
        context.restart();
        context.poll();
    }
    /// The status that has come, told; empty if something else has.
    std::string status() {
        if (!result || result->what != pulled::outcome::status) return {};
        end.told(result->status_version);
        return *result->status;
    }
    net::asio::io_context& context;
    live::subscription end;
    std::optional<pulled> result;
};

live::shared_event event(const char* text) {
    return std::make_shared<const std::string>(text);
}

}  // namespace

TEST_CASE("a cursor gets what is behind its position, and waits for more", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 100);
    cursor c(live, context);
    c.pull(99);
    CHECK_FALSE(c.result);
    live.publish(100, batch(5));
    c.settle();
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::batches);
    CHECK(c.result->batches.at(0)->first_id() == 100);

    live.publish(105, batch(5));
    live.publish(110, batch(1));
    c.pull(102);
    REQUIRE(c.result);
    REQUIRE(c.result->batches.size() == 3);
    CHECK(c.result->batches[0]->first_id() == 100);
    c.pull(104);
    REQUIRE(c.result->batches.size() == 2);
    CHECK(c.result->batches[0]->first_id() == 105);
    c.pull(110);
    CHECK_FALSE(c.result);
}

TEST_CASE("what came while nobody listened is streamed like the rest", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 100);
    live.publish(100, batch(3));
    live.publish(103, batch(2));
    CHECK(live.held_bytes() > 0);
    cursor c(live, context);
    live.publish(105, batch(1));
    for (int twice = 0; twice < 2; ++twice) {
        c.pull(100);
        REQUIRE(c.result);
        REQUIRE(c.result->batches.size() == 3);
        const live::event_batch expected(100, *batch(3));
        CHECK(c.result->batches[0]->frames(100, 103) == expected.frames(100, 103));
        CHECK(c.result->batches[1]->first_id() == 103);
        CHECK(c.result->batches[2]->end_id() == 106);
        std::size_t bytes = 0;
        for (const auto& one : c.result->batches)
            bytes += one->memory();
        CHECK(live.held_bytes() == bytes);
    }
}

TEST_CASE("batches of several publishes wake a cursor once", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 1);
    cursor c(live, context);
    c.pull(0);
    live.publish(1, batch(2));
    live.publish(3, batch(2));
    c.settle();
    REQUIRE(c.result);
    CHECK(c.result->batches.size() == 2);
}

TEST_CASE("the ring keeps to its limit and tells who is behind it", "[live]") {
    net::asio::io_context context;
    const live::event_batch one(1, *batch(10, 1000));
    live::broadcaster live(context, one.memory() * 3 + 10, 1);
    cursor c(live, context);
    for (protocol::record_id id = 1; id <= 91; id += 10)
        live.publish(id, batch(10, 1000));
    c.pull(0);
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::behind);
    c.pull(69);
    CHECK(c.result->what == pulled::outcome::behind);
    c.pull(70);
    CHECK(c.result->what == pulled::outcome::batches);
    CHECK(c.result->batches.front()->first_id() == 71);
}

TEST_CASE("a batch over the limit is still there for those at the live end", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 100, 1);
    cursor c(live, context);
    live.publish(1, batch(10, 1000));
    c.pull(0);
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::batches);
}

TEST_CASE("ids before the first publish are read elsewhere", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 1000);
    cursor c(live, context);
    c.pull(500);
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::behind);
    c.pull(999);
    CHECK_FALSE(c.result);
}

TEST_CASE("waiting ends at the deadline, by cancelling, and when the daemon stops", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 1);
    cursor c(live, context);
    c.pull(0, 10ms);
    for (int i = 0; i < 1000 && !c.result; ++i) {
        context.restart();
        context.run_for(5ms);
    }
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::idle);

    c.pull(0);
    c.end.cancel();
    c.settle();
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::cancelled);

    c.pull(0);
    live.publish(1, batch(1));
    live.close();
    c.settle();
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::batches);
    c.pull(1);
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::closing);
}

TEST_CASE("a status wakes a waiting cursor and is told once", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 1);
    cursor c(live, context);
    c.pull(0);
    live.set_status(event("failing"), true);
    c.settle();
    REQUIRE(c.status() == "failing");
    c.pull(0);
    CHECK_FALSE(c.result);
    live.publish(1, batch(1));
    c.settle();
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::batches);
    CHECK_FALSE(c.result->status_waits);
    live.set_status(event("ok"), false);
    c.pull(1);
    CHECK(c.status() == "ok");
}

TEST_CASE("who comes later is told a status that stands, and no other", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 1);
    live.set_status(event("failing"), true);
    cursor during(live, context);
    during.pull(0);
    CHECK(during.status() == "failing");
    live.set_status(event("ok"), false);
    cursor after(live, context);
    after.pull(0);
    CHECK_FALSE(after.result);
    live.set_status(event("failing again"), true);
    after.settle();
    CHECK(after.status() == "failing again");
}

TEST_CASE("of several changes the newest is told", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 1);
    cursor waiting(live, context);
    cursor busy(live, context);
    waiting.pull(0);
    for (const char* text : {"failing", "ok", "failing again"})
        live.set_status(event(text), true);
    waiting.settle();
    CHECK(waiting.status() == "failing again");
    waiting.pull(0);
    CHECK_FALSE(waiting.result);
    busy.pull(0);
    CHECK(busy.status() == "failing again");
}

TEST_CASE("in the middle of a record a status waits, and says so", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 1);
    cursor c(live, context);
    c.pull(0, 1h, false);
    live.set_status(event("failing"), true);
    c.settle();
    CHECK_FALSE(c.result);
    live.publish(1, batch(1));
    c.settle();
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::batches);
    c.pull(0, 1h, false);
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::batches);
    CHECK(c.result->status_waits);
    c.pull(1);
    CHECK(c.status() == "failing");
}

TEST_CASE("a status that never rests does not hold up the records", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 1);
    live.publish(1, batch(1));
    live.publish(2, batch(1));
    cursor c(live, context);
    std::string order;
    for (int i = 0; i < 6; ++i) {
        live.set_status(event("s"), true);
        c.pull(0);
        REQUIRE(c.result);
        order += c.result->what == pulled::outcome::status ? c.status() : "r";
    }
    CHECK(order == "srsrsr");
    // With no record to go first it is told at once.
    live.set_status(event("s"), true);
    c.pull(2);
    CHECK(c.status() == "s");
    live.set_status(event("s"), true);
    c.pull(2);
    CHECK(c.status() == "s");
}

TEST_CASE("what is behind the ring, and the end, come after the status", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 100);
    live.set_status(event("failing"), true);
    cursor c(live, context);
    c.pull(50);
    CHECK(c.status() == "failing");
    c.pull(50);
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::behind);
    live.set_status(event("ok"), false);
    live.close();
    c.settle();
    c.pull(99);
    CHECK(c.status() == "ok");
    c.pull(99);
    REQUIRE(c.result);
    CHECK(c.result->what == pulled::outcome::closing);
}

TEST_CASE("a status set from another thread is seen in the end", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 1);
    cursor c(live, context);
    std::thread writer([&] {
        for (int i = 0; i < 2000; ++i)
            live.set_status(event(i % 2 == 0 ? "failing" : "ok"), i % 2 == 0);
        live.set_status(event("last"), true);
    });
    std::string told;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (told != "last" && std::chrono::steady_clock::now() < deadline) {
        c.pull(0);
        while (!c.result && std::chrono::steady_clock::now() < deadline)
            c.settle();
        told = c.status();
    }
    writer.join();
    CHECK(told == "last");
}

TEST_CASE("publishing from another thread loses and reorders nothing", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 30, 1);
    constexpr protocol::record_id last = 5000;
    std::thread writer([&] {
        for (protocol::record_id id = 1; id <= last; ++id)
            live.publish(id, batch(1));
    });
    cursor c(live, context);
    protocol::record_id position = 0;
    bool in_order = true;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (position < last && std::chrono::steady_clock::now() < deadline) {
        c.pull(position);
        while (!c.result && std::chrono::steady_clock::now() < deadline)
            c.settle();
        if (!c.result) break;
        for (const auto& b : c.result->batches) {
            in_order = in_order && b->first_id() <= position + 1;
            position = b->end_id() - 1;
        }
    }
    writer.join();
    CHECK(position == last);
    CHECK(in_order);
}

TEST_CASE("between cursors that are woken others have their turn", "[live]") {
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 20, 1);
    int woken = 0;
    int woken_before = -1;
    std::deque<live::subscription> ends;
    for (int i = 0; i < 1000; ++i) {
        ends.push_back(live.subscribe(context.get_executor()));
        ends.back().async_pull(0, std::chrono::steady_clock::now() + 1h, true, [&woken](pulled p) {
            CHECK(p.what == pulled::outcome::batches);
            ++woken;
        });
    }
    live.publish(1, batch(1));
    net::asio::post(context, [&] { woken_before = woken; });
    context.restart();
    context.poll();
    CHECK(woken == 1000);
    CHECK(woken_before < 100);
}

TEST_CASE("cursors on several threads miss nothing and get nothing twice", "[live]") {
    struct reader {
        explicit reader(live::broadcaster& from, net::asio::any_io_executor strand)
            : end(from.subscribe(std::move(strand))) {}
        void pull(protocol::record_id last) {
            end.async_pull(position, std::chrono::steady_clock::now() + 1h, true, [this, last](pulled p) {
                for (const auto& b : p.batches) {
                    in_order = in_order && b->first_id() == position + 1;
                    position = b->end_id() - 1;
                }
                if (p.what == pulled::outcome::status) end.told(p.status_version);
                if (p.what != pulled::outcome::closing && position < last) pull(last);
            });
        }
        live::subscription end;
        protocol::record_id position = 0;
        bool in_order = true;
    };
    constexpr protocol::record_id last = 500;
    net::asio::io_context context;
    live::broadcaster live(context, 1u << 30, 1);
    std::deque<reader> readers;
    for (int i = 0; i < 150; ++i) {
        readers.emplace_back(live, net::asio::make_strand(context));
        readers.back().pull(last);
    }
    auto work = net::asio::make_work_guard(context);
    std::thread one([&] { context.run(); });
    std::thread another([&] { context.run(); });
    for (protocol::record_id id = 1; id <= last; ++id) {
        live.publish(id, batch(1));
        if (id % 10 == 0) live.set_status(event("s"), false);
        if (id % 7 == 0) std::this_thread::yield();
    }
    work.reset();
    live.close();
    one.join();
    another.join();
    for (const auto& r : readers) {
        CHECK(r.position == last);
        CHECK(r.in_order);
    }
}
