// SPDX-License-Identifier: MIT
#include "daemon/live/shared_matches.hpp"

#include "tests/support/batches.hpp"
#include "tests/support/catch.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <vector>

using namespace livelogd;
using live::batch_matches;

namespace {

using ids = std::vector<protocol::record_id>;

live::shared_batch batch_from(protocol::record_id first_id) {
    return std::make_shared<const live::event_batch>(
        first_id, test::batch_of({test::numbered(0), test::numbered(1), test::numbered(2)}));
}

/// Every second id.
ids even(const live::event_batch& batch) {
    ids found;
    for (auto id = batch.first_id(); id < batch.end_id(); ++id)
        if (id % 2 == 0) found.push_back(id);
    return found;
}

}  // namespace

TEST_CASE("a batch is gone through once for all that ask the same", "[live]") {
    net::worker_pool workers(2);
    live::shared_matches matches(workers);
    net::asio::io_context context;
    const auto a = batch_from(10);
    const auto b = batch_from(20);
    std::atomic<int> calls{0};
    std::latch all_have_asked(1);
    const live::match_function slow = [&](const live::event_batch& batch) {
        all_have_asked.wait();
        ++calls;
        return even(batch);
    };
    int answers = 0;
    for (int i = 0; i < 50; ++i) {
        matches.async_match("even", {a, b}, slow, context.get_executor(),
                            [&](std::vector<batch_matches> found) {
                                ++answers;
                                REQUIRE(found.size() == 2);
                                CHECK(*found[0] == ids{10, 12});
                                CHECK(*found[1] == ids{20, 22});
                            });
    }
    CHECK_FALSE(matches.find("even", a));
    all_have_asked.count_down();
    workers.join();
    context.run();
    CHECK(answers == 50);
    CHECK(calls == 2);
    REQUIRE(matches.find("even", a));
    CHECK(*matches.find("even", b) == ids{20, 22});
    CHECK_FALSE(matches.find("odd", a));
    CHECK_FALSE(matches.find("even", batch_from(10)));  // another object with the same ids
}

TEST_CASE("what is at hand is answered at once", "[live]") {
    net::worker_pool workers(1);
    live::shared_matches matches(workers);
    net::asio::io_context context;
    const auto a = batch_from(10);
    matches.keep("mine", a, std::make_shared<const ids>(ids{11}));
    bool answered = false;
    matches.async_match("mine", {a}, {}, context.get_executor(), [&](std::vector<batch_matches> found) {
        answered = true;
        CHECK(*found.at(0) == ids{11});
    });
    context.run();
    CHECK(answered);
    workers.join();
}

TEST_CASE("a failure is told to all that wait, and not remembered", "[live]") {
    net::worker_pool workers(1);
    live::shared_matches matches(workers);
    net::asio::io_context context;
    const auto a = batch_from(10);
    const live::match_function broken = [](const live::event_batch&) -> ids {
        throw std::runtime_error("disk");
    };
    int failures = 0;
    for (int i = 0; i < 3; ++i) {
        matches.async_match("even", {a}, broken, context.get_executor(),
                            [&](std::vector<batch_matches> found) {
                                if (!found.at(0)) ++failures;
                            });
    }
    workers.join();
    context.run();
    CHECK(failures == 3);
    CHECK_FALSE(matches.find("even", a));
}

TEST_CASE("results of the past make room, and batches are not kept for them", "[live]") {
    net::worker_pool workers(1);
    live::shared_matches matches(workers);
    const auto oldest = batch_from(1);
    matches.keep("f", oldest, std::make_shared<const ids>());
    std::weak_ptr<const live::event_batch> other;
    {
        const auto batch = batch_from(5);
        other = batch;
        matches.keep("f", batch, std::make_shared<const ids>());
    }
    CHECK(other.expired());
    std::vector<live::shared_batch> more;
    for (protocol::record_id id = 0; id < 600; ++id) {
        more.push_back(batch_from(100 + 3 * id));
        matches.keep("f", more.back(), std::make_shared<const ids>());
    }
    CHECK_FALSE(matches.find("f", oldest));
    CHECK(matches.find("f", more.back()));
    workers.join();
}
