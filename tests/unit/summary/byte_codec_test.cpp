// SPDX-License-Identifier: MIT
#include "daemon/summary/byte_codec.hpp"
#include "tests/support/catch.hpp"

#include <limits>
#include <string>
#include <vector>

using namespace livelogd::summary;

TEST_CASE("what is written is what is read") {
    const std::vector<std::uint64_t> numbers{
        0, 1, 127, 128, 16383, 16384, std::uint64_t{1} << 63, std::numeric_limits<std::uint64_t>::max()};
    std::string bytes;
    byte_writer out(bytes);
    for (const auto n : numbers) {
        out.number(n);
        out.signed_number(static_cast<std::int64_t>(n));
        out.signed_number(-static_cast<std::int64_t>(n / 2));
        out.wide_number(wide_count{n} << 64 | 5u);
        out.text(std::to_string(n));
        out.optional_number(n);
        out.optional_number(std::nullopt);
        out.optional_signed(-1);
        out.optional_signed(std::nullopt);
    }
    byte_reader in(bytes);
    for (const auto n : numbers) {
        CHECK(in.number() == n);
        CHECK(in.signed_number() == static_cast<std::int64_t>(n));
        CHECK(in.signed_number() == -static_cast<std::int64_t>(n / 2));
        CHECK((in.wide_number() == (wide_count{n} << 64 | 5u)));
        CHECK(in.text() == std::to_string(n));
        CHECK(in.optional_number() == n);
        CHECK(in.optional_number() == std::nullopt);
        CHECK(in.optional_signed() == -1);
        CHECK(in.optional_signed() == std::nullopt);
    }
    CHECK(in.left() == 0);
}

TEST_CASE("small numbers take one byte") {
    std::string bytes;
    byte_writer out(bytes);
    out.number(127);
    out.signed_number(-64);
    out.signed_number(63);
    CHECK(bytes.size() == 3);
}

TEST_CASE("bytes that end too early are damaged") {
    std::string bytes;
    byte_writer out(bytes);
    out.number(std::numeric_limits<std::uint64_t>::max());
    for (std::size_t left = 0; left < bytes.size(); ++left) {
        byte_reader in(std::string_view(bytes).substr(0, left));
        CHECK_THROWS_AS(in.number(), damaged_summary);
    }
    std::string cut;
    byte_writer(cut).text("abc");
    cut.pop_back();
    byte_reader text(cut);
    CHECK_THROWS_AS(text.text(), damaged_summary);
    // A number that does not end, and one of more than 64 bits.
    const std::string endless(11, static_cast<char>(0x80));
    byte_reader in(endless);
    CHECK_THROWS_AS(in.number(), damaged_summary);
}
