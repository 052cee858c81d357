// SPDX-License-Identifier: MIT
#include "daemon/query/ordered_work.hpp"
#include "tests/support/catch.hpp"

#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

using livelogd::query::helping_hands;
using livelogd::query::in_order;

namespace {

/// Threads that come at once, later, or never.
class hands {
  public:
    enum class when { at_once, late, never };
    explicit hands(when come) : come_(come) {}
    ~hands() { let_come(); }
    hands(const hands&) = delete;
    hands& operator=(const hands&) = delete;

    helping_hands three() {
        return {.count = 3, .ask = [this](std::function<void()> work) {
                    if (come_ == when::at_once) {
                        threads_.emplace_back(std::move(work));
                    } else if (come_ == when::late) {
                        waiting_.push_back(std::move(work));
                    }
                }};
    }
    void let_come() {
        for (auto& work : waiting_)
            threads_.emplace_back(std::move(work));
        waiting_.clear();
        threads_.clear();
    }

  private:
    when come_;
    std::vector<std::function<void()>> waiting_;
    std::vector<std::jthread> threads_;
};

}  // namespace

TEST_CASE("every piece is made once, and put together in order") {
    for (const auto come : {hands::when::at_once, hands::when::late, hands::when::never}) {
        for (const std::size_t pieces : {0u, 1u, 2u, 9u, 500u}) {
            hands helpers(come);
            std::vector<std::atomic<int>> made(pieces);
            std::vector<std::size_t> consumed;
            in_order<std::size_t>(
                pieces, helpers.three(),
                [&](std::size_t i) {
                    ++made[i];
                    return i;
                },
                [&](std::size_t i) { consumed.push_back(i); });
            REQUIRE(consumed.size() == pieces);
            for (std::size_t i = 0; i < pieces; ++i) {
                CHECK(consumed[i] == i);
                CHECK(made[i] == 1);
            }
            helpers.let_come();
            for (const auto& times : made)
                CHECK(times == 1);
        }
    }
}

TEST_CASE("an error ends the work, wherever it comes from") {
    for (const auto come : {hands::when::at_once, hands::when::never}) {
        hands helpers(come);
        std::size_t consumed = 0;
        const auto producing = [&] {
            in_order<std::size_t>(
                100, helpers.three(),
                [](std::size_t i) {
                    if (i == 40) throw std::runtime_error("no");
                    return i;
                },
                [&](std::size_t) { ++consumed; });
        };
        CHECK_THROWS_AS(producing(), std::runtime_error);
        CHECK(consumed <= 40);
        const auto consuming = [&] {
            in_order<std::size_t>(
                100, helpers.three(), [](std::size_t i) { return i; },
                [](std::size_t i) {
                    if (i == 7) throw std::logic_error("no");
                });
        };
        CHECK_THROWS_AS(consuming(), std::logic_error);
    }
}
