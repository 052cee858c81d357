// SPDX-License-Identifier: MIT
#include "daemon/http/auth/attempts.hpp"

#include "tests/support/catch.hpp"

#include <string>

using namespace livelogd::http;
using namespace std::chrono_literals;

namespace {

const digester digest_of;
digest guess(int n) {
    return digest_of("guess " + std::to_string(n));
}
const attempts::time_point start{1000h};

}  // namespace

TEST_CASE("a bucket gives so many at once and then at a steady pace", "[auth]") {
    livelogd::base::token_bucket bucket(3, 10s);
    CHECK(bucket.full(start));
    for (int i = 0; i < 3; ++i)
        CHECK(bucket.take(start));
    CHECK_FALSE(bucket.take(start));
    CHECK(bucket.wait(start).count() == Approx(10));
    CHECK(bucket.wait(start + 4s).count() == Approx(6));
    CHECK_FALSE(bucket.take(start + 9s));
    CHECK(bucket.take(start + 10s));
    CHECK_FALSE(bucket.take(start + 19s));
    CHECK_FALSE(bucket.full(start + 30s));
    CHECK(bucket.full(start + 40s));
    // A rest does not save up more than it holds.
    for (int i = 0; i < 3; ++i)
        CHECK(bucket.take(start + 1h));
    CHECK_FALSE(bucket.take(start + 1h));
}

TEST_CASE("wrong tokens are limited by address, and nobody pays for another", "[auth]") {
    attempts tried;
    for (int i = 0; i < 10; ++i) {
        CHECK(tried.wait("10.0.0.1", start) == 0);
        tried.failed("10.0.0.1", guess(i), false, start);
    }
    CHECK(tried.wait("10.0.0.1", start) == 6);
    CHECK(tried.wait("10.0.0.1", start + 5s) == 1);
    CHECK(tried.wait("10.0.0.1", start + 6s) == 0);
    CHECK(tried.wait("10.0.0.2", start) == 0);
}

TEST_CASE("a wrong token that is known costs no further try", "[auth]") {
    attempts tried;
    for (int i = 0; i < 1000; ++i)
        tried.failed("10.0.0.1", guess(i % 2), false, start);
    CHECK(tried.known_wrong("10.0.0.1", guess(0)));
    CHECK(tried.known_wrong("10.0.0.1", guess(1)));
    CHECK_FALSE(tried.known_wrong("10.0.0.1", guess(2)));
    CHECK_FALSE(tried.known_wrong("10.0.0.2", guess(0)));
    CHECK(tried.wait("10.0.0.1", start) == 0);
    tried.forget_wrong();
    CHECK_FALSE(tried.known_wrong("10.0.0.1", guess(0)));
}

TEST_CASE("forms of all addresses share a limit that does not concern the header", "[auth]") {
    attempts tried;
    for (int i = 0; i < 50; ++i) {
        const auto from = "10.0.1." + std::to_string(i);
        CHECK(tried.wait_for_form(from, start) == 0);
        tried.failed(from, guess(i), true, start);
    }
    CHECK(tried.wait_for_form("10.0.2.1", start) == 1);
    CHECK(tried.wait("10.0.2.1", start) == 0);
    CHECK(tried.wait_for_form("10.0.2.1", start + 1s) == 0);
}

TEST_CASE("any number of addresses takes bounded memory, and those under a limit stay under it", "[auth]") {
    attempts tried;
    for (int i = 0; i < 10; ++i)
        tried.failed("10.9.9.9", guess(i), false, start + 1s);
    for (int i = 0; i < 6000; ++i)
        tried.failed("a" + std::to_string(i), guess(0), false, start);
    CHECK(tried.wait("10.9.9.9", start + 1s) == 6);
}

TEST_CASE("an IPv6 network of 64 bits is one sender", "[auth]") {
    CHECK(sender_of("2001:db8:1:2:3:4:5:6") == sender_of("2001:db8:1:2:ffff::1"));
    CHECK(sender_of("2001:db8:1:2::1") != sender_of("2001:db8:1:3::1"));
    CHECK(sender_of("::ffff:10.1.2.3") == "10.1.2.3");
    CHECK(sender_of("10.1.2.3") == "10.1.2.3");
    CHECK(sender_of("unix") == "unix");
}
