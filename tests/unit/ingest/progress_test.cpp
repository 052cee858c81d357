// SPDX-License-Identifier: MIT
#include "daemon/ingest/progress.hpp"

#include "tests/support/catch.hpp"

#include <atomic>
#include <thread>

using namespace livelogd;
using protocol::ack_level;

TEST_CASE("progress of both levels rises on its own", "[ingest]") {
    ingest::progress log;
    CHECK(log.reached(ack_level::written) == 0);
    log.written(10);
    CHECK(log.reached(ack_level::written) == 10);
    CHECK(log.reached(ack_level::durable) == 0);
    log.synced(7);
    CHECK(log.reached(ack_level::durable) == 7);
    log.written(9);
    log.synced(3);
    CHECK(log.reached(ack_level::written) == 10);
    CHECK(log.reached(ack_level::durable) == 7);
}

TEST_CASE("who waits is woken once, when it is reached", "[ingest]") {
    ingest::progress log;
    int woken = 0;
    ingest::progress::watch watch(log, [&] { ++woken; });
    log.written(10);
    CHECK(watch.await(ack_level::written, 10));
    CHECK_FALSE(watch.await(ack_level::written, 11));
    log.synced(20);
    log.written(10);
    CHECK(woken == 0);
    log.written(11);
    CHECK(woken == 1);
    log.written(12);
    CHECK(woken == 1);

    CHECK_FALSE(watch.await(ack_level::durable, 30));
    CHECK_FALSE(watch.await(ack_level::durable, 40));  // instead
    log.synced(30);
    CHECK(woken == 1);
    log.synced(40);
    CHECK(woken == 2);
}

TEST_CASE("who has gone is not woken", "[ingest]") {
    ingest::progress log;
    int woken = 0;
    {
        ingest::progress::watch gone(log, [&] { ++woken; });
        CHECK_FALSE(gone.await(ack_level::written, 5));
    }
    log.written(5);
    log.close();
    CHECK(woken == 0);
}

TEST_CASE("while storing fails nothing more is promised", "[ingest]") {
    ingest::progress log;
    int woken = 0;
    ingest::progress::watch watch(log, [&] { ++woken; });
    log.written(10);
    CHECK_FALSE(watch.await(ack_level::written, 15));
    log.hold();
    log.written(20);
    log.synced(20);
    CHECK(log.reached(ack_level::written) == 10);
    CHECK(log.reached(ack_level::durable) == 0);
    CHECK(woken == 0);
    log.release();
    CHECK(woken == 1);
    CHECK(log.reached(ack_level::written) == 20);
    CHECK(log.reached(ack_level::durable) == 20);
}

TEST_CASE("the end of the log ends all waits and promises nothing", "[ingest]") {
    ingest::progress log;
    int woken = 0;
    ingest::progress::watch watch(log, [&] { ++woken; });
    CHECK_FALSE(watch.await(ack_level::written, 15));
    log.hold();
    log.written(20);
    log.close();
    CHECK(log.closed());
    CHECK(woken == 1);
    CHECK(log.reached(ack_level::written) == 0);
    CHECK_FALSE(watch.await(ack_level::written, 15));
    log.close();
    CHECK(woken == 1);
}

TEST_CASE("watches come and go while the log's threads tell", "[ingest]") {
    ingest::progress log;
    std::atomic<bool> stop = false;
    std::thread writer([&] {
        for (protocol::record_id id = 1; !stop; ++id) {
            log.written(id);
            log.synced(id);
        }
    });
    for (int i = 0; i < 2000; ++i) {
        std::atomic<bool> woken = false;
        const auto wanted = log.reached(ack_level::durable) + static_cast<protocol::record_id>(i % 3);
        ingest::progress::watch watch(log, [&] { woken = true; });
        if (i % 5 == 0) {
            watch.await(ack_level::durable, wanted);
            continue;
        }
        if (!watch.await(ack_level::durable, wanted)) {
            while (!woken)
                std::this_thread::yield();
        }
        if (log.reached(ack_level::durable) < wanted) FAIL("woken too early");
    }
    stop = true;
    writer.join();
}
