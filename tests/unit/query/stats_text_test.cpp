// SPDX-License-Identifier: MIT
#include "daemon/query/json_text.hpp"
#include "daemon/query/newest_durations.hpp"
#include "daemon/summary/record_sums.hpp"

#include "tests/support/catch.hpp"

#include <limits>

using livelogd::protocol::json_kind;
using livelogd::query::mean_text;
using livelogd::query::milliseconds_text;
using livelogd::query::newest_durations;
using livelogd::query::wide_count;
using livelogd::summary::duration_us;

namespace {

std::optional<std::uint64_t> us_of(std::string_view number) {
    return duration_us({.kind = json_kind::number, .text = number});
}

}  // namespace

TEST_CASE("durations are whole microseconds") {
    CHECK(us_of("0") == 0u);
    CHECK(us_of("-0") == 0u);
    CHECK(us_of("-0.0e5") == 0u);
    CHECK(us_of("45.67") == 45670u);
    CHECK(us_of("2111.34") == 2111340u);
    CHECK(us_of("0.0004") == 0u);
    CHECK(us_of("0.0005") == 1u);
    CHECK(us_of("1.0625") == 1063u);  // a half, exactly: away from zero
    CHECK(us_of("1e3") == 1'000'000u);
    CHECK(us_of("9.2e15") == 9'200'000'000'000'000'000u);
    CHECK(us_of("9.3e15") == 9'200'000'000'000'000'000u);
    CHECK(us_of("1e308") == 9'200'000'000'000'000'000u);
    CHECK(us_of("1e-400") == 0u);
}

TEST_CASE("what is no finite number of at least zero is no duration") {
    CHECK_FALSE(us_of("1e400"));
    CHECK_FALSE(us_of("-1e400"));
    CHECK_FALSE(us_of("-0.001"));
    CHECK_FALSE(us_of("-5"));
    CHECK_FALSE(duration_us({.kind = json_kind::string, .text = R"("45.67")"}));
    CHECK_FALSE(duration_us({.kind = json_kind::boolean, .text = "true"}));
    CHECK_FALSE(duration_us({.kind = json_kind::null, .text = "null"}));
    CHECK_FALSE(duration_us({.kind = json_kind::array, .text = "[1]"}));
    CHECK_FALSE(duration_us({}));
}

TEST_CASE("milliseconds are spelled without zeros at the end") {
    CHECK(milliseconds_text(0) == "0");
    CHECK(milliseconds_text(1) == "0.001");
    CHECK(milliseconds_text(10) == "0.01");
    CHECK(milliseconds_text(999) == "0.999");
    CHECK(milliseconds_text(1000) == "1");
    CHECK(milliseconds_text(45670) == "45.67");
    CHECK(milliseconds_text(100'000) == "100");
    CHECK(milliseconds_text(9'200'000'000'000'000'001) == "9200000000000000.001");
}

TEST_CASE("the mean is rounded half up to two decimals") {
    CHECK(mean_text(0, 0) == "0");
    CHECK(mean_text(0, 3) == "0");
    CHECK(mean_text(12340, 1) == "12.34");
    CHECK(mean_text(12344, 1) == "12.34");
    CHECK(mean_text(12345, 1) == "12.35");
    CHECK(mean_text(24689, 2) == "12.34");  // 12.3445
    CHECK(mean_text(24690, 2) == "12.35");  // 12.345
    CHECK(mean_text(469'000, 2) == "234.5");
    CHECK(mean_text(4, 1) == "0");
    CHECK(mean_text(5, 1) == "0.01");
    CHECK(mean_text(1'000'000, 3) == "333.33");
    CHECK(mean_text(2'000'000, 3) == "666.67");
    constexpr std::uint64_t largest = 9'200'000'000'000'000'000;
    CHECK(mean_text(wide_count{largest} * 1'000'000'007u, 1'000'000'007) == "9200000000000000");
}

TEST_CASE("the newest texts are kept, oldest first") {
    newest_durations three(3);
    CHECK(three.texts().empty());
    three.add("1");
    three.add("2");
    CHECK(three.texts() == std::vector<std::string>{"1", "2"});
    three.add("3");
    CHECK(three.texts() == std::vector<std::string>{"1", "2", "3"});
    for (const char* text : {"4", "5", "6", "a longer text that needs memory of its own"})
        three.add(text);
    CHECK(three.texts() == std::vector<std::string>{"5", "6", "a longer text that needs memory of its own"});
    three.add("8");
    CHECK(three.texts() == std::vector<std::string>{"6", "a longer text that needs memory of its own", "8"});

    newest_durations none(0);
    none.add("1");
    CHECK(none.texts().empty());
}
