// SPDX-License-Identifier: MIT
#include "daemon/filter/pattern.hpp"

#include "tests/support/catch.hpp"

#include <string>

using livelogd::filter::pattern;
using livelogd::filter::pattern_error;

namespace {

std::string refusal(const std::string& expression) {
    try {
        const pattern compiled(expression);
    } catch (const pattern_error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("an expression matches somewhere in the text") {
    CHECK(pattern("tim(ed|e) ?out").matches_in("request timed out"));
    CHECK_FALSE(pattern("^timed").matches_in("request timed out"));
    CHECK(pattern("out$").matches_in("request timed out"));
    CHECK_FALSE(pattern("TIMED").matches_in("request timed out"));
    CHECK(pattern("(?i)TIMED").matches_in("request timed out"));
    CHECK(pattern("^gr.n$").matches_in("grün"));
    CHECK_FALSE(pattern("a.b").matches_in("a\nb"));
    CHECK(pattern("(?s)a.b").matches_in("a\nb"));
    CHECK(pattern("x*").matches_in(""));
    CHECK(pattern(std::string_view("a\0b", 3)).matches_in(std::string_view("a\0b", 3)));
}

TEST_CASE("what is wrong with an expression is said in words") {
    CHECK(refusal("a(b") == "a ) is missing");
    CHECK(refusal("a)b") == "a ) closes nothing; \\) stands for the character");
    CHECK(refusal("[ab") == "a ] is missing after '[ab'");
    CHECK(refusal("*a") == "there is nothing before '*' to be repeated");
    CHECK(refusal("a**") == "'**' repeats a repetition");
    CHECK(refusal("a{2000}") == "'{2000}' repeats too often, or less than never");
    CHECK(refusal("\\q") == "'\\q' is no escape");
    CHECK(refusal("a\\") == "it ends in a backslash; \\\\ stands for one");
    CHECK(refusal("[b-a]") == "'b-a' is no class of characters");
    CHECK(refusal("a(?=b)") == "'(?=' is not known to RE2: it can look neither ahead nor behind");
    CHECK(refusal("(?P<a b>x)") == "'(?P<a b>' is no name for a group");
    CHECK(refusal("\xff") == "it is not UTF-8");
    CHECK(refusal("a{1000}b{1000}\\pL{1000}")
          == "it needs more than 1 MiB of memory: make it shorter, or let it repeat less");
}

TEST_CASE("expressions that are hard to match take time in proportion to the text, and do match") {
    const std::string text(1u << 20, 'a');
    CHECK_FALSE(pattern("(a*)*b").matches_in(text));
    CHECK_FALSE(pattern("(a|aa)+$b").matches_in(text));
    CHECK(pattern("(a?){50}a{50}$").matches_in(text));
    // More states than the memory holds: the answer is right nevertheless.
    std::string binary;
    for (std::uint32_t i = 0; i < 200'000; ++i)
        binary += (i * 2654435761u >> 13 & 1) != 0 ? 'a' : 'b';
    CHECK_FALSE(pattern("a[ab]{18}c").matches_in(binary));
    CHECK(pattern("a[ab]{18}c").matches_in(binary + "a" + std::string(18, 'b') + "c"));
}

TEST_CASE("copies match alike") {
    const pattern one("a+b");
    const pattern two = one;
    CHECK(one.matches_in("xaab"));
    CHECK(two.matches_in("xaab"));
}
