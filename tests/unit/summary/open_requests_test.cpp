// SPDX-License-Identifier: MIT
#include "daemon/summary/open_requests.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <string>

using livelogd::summary::open_requests;

namespace {

struct naive_request {
    std::uint64_t id;
    std::string key;
    bool counts;
};

}  // namespace

TEST_CASE("open requests are those of a plain list, whatever comes and goes") {
    for (unsigned seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const auto below = [&](std::size_t limit) { return random() % limit; };
        open_requests open;
        std::deque<naive_request> naive;  // the oldest first
        const std::size_t most = seed % 2 == 0 ? 5 : 200;
        for (std::uint64_t id = 1; id <= 6000; ++id) {
            const std::string key = "k" + std::to_string(below(seed * 40));
            if (below(2) == 0) {
                const bool counts = below(3) == 0;
                std::uint64_t given_up = 0;
                if (open.size() >= most) given_up = open.drop_oldest(most - 1);
                open.add(id, key).counts = counts;
                std::uint64_t wanted = 0;
                for (; naive.size() >= most; naive.pop_front())
                    wanted += naive.front().counts ? 1u : 0u;
                naive.push_back({id, key, counts});
                REQUIRE(given_up == wanted);
            } else {
                const auto* taken = open.take(key);
                const auto newest = std::find_if(naive.rbegin(), naive.rend(),
                                                 [&](const naive_request& one) { return one.key == key; });
                REQUIRE((taken != nullptr) == (newest != naive.rend()));
                if (taken == nullptr) continue;
                REQUIRE(taken->id == newest->id);
                REQUIRE(taken->counts == newest->counts);
                naive.erase(std::next(newest).base());
            }
            REQUIRE(open.size() == naive.size());
        }
        const auto left = open.in_order();
        REQUIRE(left.size() == naive.size());
        CHECK(std::ranges::equal(left, naive, [](const auto* a, const naive_request& b) {
            return a->id == b.id && a->key == b.key && a->counts == b.counts;
        }));
    }
}

TEST_CASE("what a request has told is not told again by the next one in its place") {
    open_requests open;
    auto& first = open.add(1, "a");
    first.model = "m";
    first.endpoint = "/e";
    first.request_id = "\"a\"";
    first.time = 5;
    first.counts = true;
    REQUIRE(open.take("a") != nullptr);
    const auto& second = open.add(2, "b");
    CHECK(second.model.empty());
    CHECK(second.endpoint.empty());
    CHECK(second.request_id.empty());
    CHECK_FALSE(second.time.has_value());
    CHECK_FALSE(second.counts);
}
