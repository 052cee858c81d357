// SPDX-License-Identifier: MIT
#include "daemon/ingest/sender_notes.hpp"

#include "tests/support/catch.hpp"

#include <string>

using namespace livelogd::ingest;
using namespace std::chrono_literals;

namespace {

const sender_notes::time_point start{1000h};

}  // namespace

TEST_CASE("a sender is told with what the system knows of it", "[ingest]") {
    sender_notes notes;
    CHECK(notes.connected(42, 1000, start) == "a sender has connected: uid 1000, pid 42");
}

TEST_CASE("a flood of connections is a few lines, and hides no other user", "[ingest]") {
    sender_notes notes;
    int told = 0;
    for (int i = 0; i < 10'000; ++i)
        told += notes.connected(i, 1000, start).has_value() ? 1 : 0;
    CHECK(told == 3);
    CHECK(notes.connected(7, 0, start) == "a sender has connected: uid 0, pid 7");
    CHECK_FALSE(notes.connected(8, 1000, start + 59s));
    CHECK(notes.connected(9, 1000, start + 60s)
          == "a sender has connected: uid 1000, pid 9 (and 9998 connections of this user before, that were not told)");
}

TEST_CASE("any number of users takes bounded memory", "[ingest]") {
    sender_notes notes;
    int told = 0;
    for (uid_t user = 0; user < 10'000; ++user)
        told += notes.connected(1, user, start).has_value() ? 1 : 0;
    CHECK(told == 64 + 3);
    CHECK(notes.connected(1, 5, start));
}
