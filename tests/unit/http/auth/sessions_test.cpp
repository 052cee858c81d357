// SPDX-License-Identifier: MIT
#include "daemon/http/auth/sessions.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace livelogd::http;
using namespace std::chrono_literals;

namespace {

const session_table::time_point start{1000h};
constexpr session_times times{.ttl = 10h, .idle = 1h};

}  // namespace

TEST_CASE("names of sessions are long, random, and fit into a cookie", "[auth]") {
    std::set<std::string> names;
    for (int i = 0; i < 1000; ++i) {
        const auto name = random_name();
        CHECK(name.size() == 43);  // 256 bits, six each
        CHECK(std::ranges::all_of(name, [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'
                   || c == '_';
        }));
        names.insert(name);
    }
    CHECK(names.size() == 1000);
}

TEST_CASE("digests differ by text and by process key, and are compared in whole", "[auth]") {
    const digester one;
    const digester other;
    CHECK(same(one("secret"), one("secret")));
    CHECK_FALSE(same(one("secret"), one("secreT")));
    CHECK_FALSE(same(one("secret"), other("secret")));
    auto changed = one("secret");
    for (auto& byte : changed) {
        byte ^= 1;
        CHECK_FALSE(same(changed, one("secret")));
        byte ^= 1;
    }
}

TEST_CASE("a session holds while it is used, and not for ever", "[auth]") {
    session_table table;
    const auto name = table.open(start, times);
    CHECK(table.find(name, start) != nullptr);
    CHECK(table.find(name + "x", start) == nullptr);
    CHECK(table.find("", start) == nullptr);
    auto now = start;
    while (now + 59min < start + 10h) {
        now += 59min;
        CHECK(table.find(name, now) != nullptr);
    }
    const auto held = table.find(name, now);
    CHECK_FALSE(held->ended().stop_requested());
    CHECK(table.find(name, start + 10h) == nullptr);
    CHECK(held->ended().stop_requested());
    CHECK_FALSE(held->use(now));
}

TEST_CASE("a session that is not used ends", "[auth]") {
    session_table table;
    const auto idle = table.open(start, times);
    const auto used = table.open(start, times);
    CHECK(table.find(used, start + 30min) != nullptr);
    CHECK(table.size(start + 59min) == 2);
    CHECK(table.size(start + 61min) == 1);
    CHECK(table.find(idle, start + 61min) == nullptr);
    CHECK(table.find(used, start + 61min) != nullptr);
}

TEST_CASE("an open stream is use", "[auth]") {
    session_table table;
    const auto name = table.open(start, times);
    const auto stream = table.find(name, start);
    for (int i = 1; i < 8; ++i)
        CHECK(stream->use(start + i * 50min));
    CHECK(table.find(name, start + 7 * 50min + 59min) != nullptr);
}

TEST_CASE("signing out ends a session's streams, and no others", "[auth]") {
    session_table table;
    const auto a = table.open(start, times);
    const auto b = table.open(start, times);
    const auto of_a = table.find(a, start);
    const auto of_b = table.find(b, start);
    bool told = false;
    const std::stop_callback tell(of_a->ended(), [&told] { told = true; });
    CHECK(table.close(a));
    CHECK(told);
    CHECK_FALSE(table.close(a));
    CHECK(table.find(a, start) == nullptr);
    CHECK_FALSE(of_b->ended().stop_requested());
    table.close_all();
    CHECK(of_b->ended().stop_requested());
    CHECK(table.size(start) == 0);
}

TEST_CASE("sessions are bounded: the one unused for longest goes", "[auth]") {
    session_table table;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < session_table::most; ++i)
        names.push_back(table.open(start + std::chrono::seconds(i), times));
    const auto now = start + 10min;
    CHECK(table.find(names[0], now) != nullptr);
    const auto loser = table.find(names[1], start + 1s);
    names.push_back(table.open(now, times));
    CHECK(table.size(now) == session_table::most);
    CHECK(table.find(names[0], now) != nullptr);
    CHECK(table.find(names[1], now) == nullptr);
    CHECK(loser->ended().stop_requested());
    CHECK(table.find(names[2], now) != nullptr);
    CHECK(table.find(names.back(), now) != nullptr);
}
