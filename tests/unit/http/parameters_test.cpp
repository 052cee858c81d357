// SPDX-License-Identifier: MIT
#include "daemon/http/parameters.hpp"

#include "daemon/http/reply.hpp"
#include "tests/support/catch.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace livelogd::http;

namespace {

request with(parameter_list list) {
    request asked;
    asked.parameters = std::move(list);
    return asked;
}

/// The parameter that is blamed; empty if none is.
template <class Read>
std::string blamed(Read&& read) {
    try {
        read();
    } catch (const bad_request& refused) {
        CHECK(refused.status() == 400);
        CHECK(std::string(refused.what()).size() > 10);
        return refused.parameter();
    }
    return {};
}

}  // namespace

TEST_CASE("numbers are read whole or refused", "[http]") {
    const auto lines = [](const std::string& value) {
        const auto asked = with({{"lines", value}});
        return parameters(asked, {"lines"}).whole_number("lines", 1, 100000);
    };
    CHECK(lines("1") == 1);
    CHECK(lines("100000") == 100000);
    for (const std::string bad :
         {"", "0", "-1", "abc", "1e18", "1.5", " 5", "5 ", "+5", "0x10", "100001", "99999999999999999999"}) {
        INFO(bad);
        CHECK(blamed([&] { (void)lines(bad); }) == "lines");
    }
    const auto none = with({});
    CHECK_FALSE(parameters(none, {"lines"}).whole_number("lines", 1, 10));
}

TEST_CASE("hours may be broken, but must be above zero and finite", "[http]") {
    const auto hours = [](const std::string& value) {
        const auto asked = with({{"hours", value}});
        return parameters(asked, {"hours"}).positive_number("hours", 87600);
    };
    CHECK(hours("24") == 24.0);
    CHECK(hours("0.5") == 0.5);
    CHECK(hours("87600") == 87600.0);
    for (const std::string bad : {"", "0", "-1", "nan", "inf", "1e3", "87601", "abc", "1,5"}) {
        INFO(bad);
        CHECK(blamed([&] { (void)hours(bad); }) == "hours");
    }
}

TEST_CASE("unknown and repeated parameters are named", "[http]") {
    const auto unknown = with({{"line", "5"}});
    CHECK(blamed([&] { parameters(unknown, {"lines"}); }) == "line");
    const auto twice = with({{"lines", "5"}, {"lines", "6"}});
    CHECK(blamed([&] { (void)parameters(twice, {"lines"}).whole_number("lines", 1, 10); }) == "lines");
    const auto types = with({{"type", "a"}, {"type", "b"}});
    CHECK(parameters(types, {"type"}).all("type") == std::vector<std::string>{"a", "b"});
}

TEST_CASE("parameters that several endpoints share are known beside the endpoint's own", "[http]") {
    constexpr std::array<std::string_view, 2> shared{"type", "q"};
    const auto asked = with({{"lines", "5"}, {"q", "x"}});
    CHECK(parameters(asked, {"lines"}, shared).all("q") == std::vector<std::string>{"x"});
    CHECK(blamed([&] { parameters(asked, {"hours"}, shared); }) == "lines");
}

TEST_CASE("the place within a parameter's value is told, also if it is the first", "[http]") {
    const auto told = [](std::optional<std::size_t> at) {
        return std::get<std::string>(error_reply(bad_request::in_parameter("q", "wrong", at)).body);
    };
    CHECK(told(0) == "{\"error\":\"wrong\",\"parameter\":\"q\",\"at\":0}\n");
    CHECK(told(17) == "{\"error\":\"wrong\",\"parameter\":\"q\",\"at\":17}\n");
    CHECK(told(std::nullopt) == "{\"error\":\"wrong\",\"parameter\":\"q\"}\n");
}
