// SPDX-License-Identifier: MIT
#include "daemon/filter/query_parser.hpp"

#include "daemon/filter/filter_error.hpp"
#include "tests/support/catch.hpp"

#include <string>
#include <vector>

using namespace livelogd::filter;
using syntax::term_form;
using syntax::value_form;

namespace {

/// The only term of an expression.
syntax::term one(std::string_view text) {
    CAPTURE(std::string(text));
    syntax::query terms = parse_query(text);
    REQUIRE(terms.size() == 1);
    return terms.front();
}

std::string text_of(std::string_view text) {
    const syntax::term term = one(text);
    CHECK(term.form == term_form::text);
    return term.values.front().text;
}

/// The expression of a term that is one.
std::string expression_of(std::string_view text) {
    const syntax::term term = one(text);
    CHECK(term.form == term_form::expression);
    CHECK(term.values.front().form == value_form::expression);
    return term.values.front().text;
}

/// Field and values in a notation that shows their forms.
std::string shown(std::string_view text) {
    const syntax::term term = one(text);
    if (term.form == term_form::comparison)
        return term.field + " " + std::string(sign_of(term.compared)) + " <" + term.operand + ">";
    REQUIRE(term.form == term_form::values);
    std::string all = term.field;
    for (const syntax::value& value : term.values) {
        switch (value.form) {
            case value_form::exact:
                all += " =<" + value.text + ">";
                break;
            case value_form::open:
                all += std::string(" ") + (value.open_front ? "*" : "") + "<" + value.text + ">"
                       + (value.open_back ? "*" : "");
                break;
            case value_form::expression:
                all += " ~<" + value.text + ">";
                break;
            case value_form::anything:
                all += " any";
        }
    }
    return all;
}

struct refusal {
    std::string sentence;
    std::size_t at = 999;
};

refusal refused(std::string_view text) {
    try {
        parse_query(text);
    } catch (const filter_error& error) {
        CHECK(error.parameter() == "q");
        REQUIRE(error.at());
        return {error.what(), *error.at()};
    }
    return {};
}

std::string repeated(const std::string& piece, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i)
        all += piece;
    return all;
}

}  // namespace

TEST_CASE("terms are separated by white space") {
    CHECK(parse_query("").empty());
    CHECK(parse_query(" \t\n\r\f\v ").empty());
    const auto terms = parse_query("  one\t\"two  2\" -three\n/f o/ level:info ");
    REQUIRE(terms.size() == 5);
    CHECK(terms[0].source == "one");
    CHECK(terms[1].source == "\"two  2\"");
    CHECK(terms[2].source == "-three");
    CHECK(terms[2].negated);
    CHECK_FALSE(terms[3].negated);
    CHECK(terms[3].source == "/f o/");
    CHECK(terms[4].source == "level:info");
}

TEST_CASE("places are counted in characters") {
    const auto terms = parse_query("grün  -\"日本語 🙂\" x");
    REQUIRE(terms.size() == 3);
    CHECK(terms[0].at == 0);
    CHECK(terms[1].at == 6);
    CHECK(terms[2].at == 15);
}

TEST_CASE("words and phrases are texts") {
    for (const char* word : {"timeout", "10:30", "5xx",  "a/b",      "/health", "/api/chat", "/a/b/", "a=b",
                             "100%",    "x(y)",  "it's", "*",        "a*b",     "@x",        "a|b",   ":",
                             "é:x",     "5>4",   "=>",   "<script>", "\\",      "a-b",       "+1"}) {
        CAPTURE(word);
        CHECK(text_of(word) == word);
    }
    CHECK(text_of("-word") == "word");
    CHECK(text_of(R"("a phrase")") == "a phrase");
    CHECK(text_of(R"("")").empty());
    CHECK(text_of(R"("a \"quoted\" \\ C:\temp \/")") == R"(a "quoted" \ C:\temp \/)");
    CHECK(text_of(R"("level:error")") == "level:error");
    CHECK(text_of(R"("/x/")") == "/x/");
    CHECK(text_of("\"a\nb\"") == "a\nb");
    CHECK(one("-\"x\"").negated);
}

TEST_CASE("a regular expression stands between slashes") {
    CHECK(expression_of("/time(d )?out/") == "time(d )?out");
    CHECK(expression_of(R"(/a\/b/)") == "a/b");
    CHECK(expression_of(R"(/\d\\\.\//)") == R"(\d\\\./)");
    CHECK(expression_of(R"(/\\/)") == R"(\\)");
    CHECK(expression_of("-/x/") == "x");
    CHECK(expression_of("/)/") == ")");
    CHECK(expression_of("/\"/") == "\"");
    CHECK(expression_of("/two words/") == "two words");
}

TEST_CASE("a slash begins a regular expression only if the next one ends the term") {
    CHECK(text_of("/api/v1/") == "/api/v1/");
    CHECK(text_of("/health") == "/health");
    CHECK(text_of(R"(/a\/)") == R"(/a\/)");
    const auto apart = parse_query("/ x/");
    REQUIRE(apart.size() == 2);
    CHECK(apart[0].values.front().text == "/");
    CHECK(apart[1].values.front().text == "x/");
    const auto paths = parse_query("endpoint:/health /ready x:/a/b");
    REQUIRE(paths.size() == 3);
    CHECK(paths[1].form == term_form::text);
    CHECK(shown("endpoint:/api/*") == "endpoint <" "/api/>*");
    CHECK(shown("endpoint:/health") == "endpoint =</health>");
    CHECK(shown("endpoint:/api/v1/") == "endpoint =</api/v1/>");
    CHECK(shown("endpoint:/") == "endpoint =</>");
    CHECK(shown("endpoint:/api/") == "endpoint ~<api>");
    CHECK(shown("endpoint:\"/api/\"") == "endpoint =</api/>");
    CHECK(shown("message:/timed out/") == "message ~<timed out>");
    const auto both = parse_query("endpoint:/health /time out/");
    REQUIRE(both.size() == 2);
    CHECK(both[0].values.front().text == "/health");
    CHECK(both[1].values.front().text == "time out");
}

TEST_CASE("a field has a value") {
    CHECK(shown("method:GET") == "method =<GET>");
    CHECK(shown("model:llama3:8b") == "model =<llama3:8b>");
    CHECK(shown("_a.b-c.9:x") == "_a.b-c.9 =<x>");
    CHECK(shown("a:\"x \\\"y\"") == "a =<x \"y>");
    CHECK(shown("a:\"\"") == "a =<>");
    CHECK(shown("a:*") == "a any");
    CHECK(shown("a:\"*\"") == "a =<*>");
    CHECK(shown("a:x*") == "a <x>*");
    CHECK(shown("a:*x") == "a *<x>");
    CHECK(shown("a:*x*") == "a *<x>*");
    CHECK(shown("a:**") == "a *<>*");
    CHECK(shown("a:x*y") == "a =<x*y>");
    CHECK(shown("a:\"x*\"") == "a =<x*>");
    CHECK(shown("a:x|y)") == "a =<x|y)>");
    CHECK(shown("a:-5") == "a =<-5>");
    CHECK(shown("-a:x") == "a =<x>");
    CHECK(one("-a:x").negated);
}

TEST_CASE("a list holds several") {
    CHECK(shown("a:(x)") == "a =<x>");
    CHECK(shown("a:(x|y|\"c d\")") == "a =<x> =<y> =<c d>");
    CHECK(shown("a:( x | y* |\t\"|)\" )") == "a =<x> <y>* =<|)>");
    CHECK(shown("a:(*|/x y/|/a|b)") == "a any ~<x y> =</a> =<b>");
    CHECK(shown("a:(/a(b|c)/|/d/ )") == "a ~<a(b|c)> ~<d>");
    CHECK(shown("a:(/health|/ready)") == "a =</health> =</ready>");
    CHECK(shown("a:(x(y|z)") == "a =<x(y> =<z>");
    const auto two = parse_query("a:(/health|/ready) b:(c|d/)");
    REQUIRE(two.size() == 2);
    CHECK(two[0].values.size() == 2);
    CHECK(two[1].values[1].text == "d/");
}

TEST_CASE("a field compares with what follows") {
    CHECK(shown("status_code>400") == "status_code > <400>");
    CHECK(shown("a>=-1e3") == "a >= <-1e3>");
    CHECK(shown("a<5") == "a < <5>");
    CHECK(shown("a<=5") == "a <= <5>");
    CHECK(shown("level>=warning") == "level >= <warning>");
    CHECK(shown("a>") == "a > <>");
    CHECK(shown("a<<5") == "a < <<5>");
    CHECK(shown("a->b") == "a- > <b>");
}

TEST_CASE("what cannot be read is pointed at, with what helps") {
    const auto check = [](std::string_view text, std::size_t at, const std::string& sentence) {
        CAPTURE(std::string(text));
        const refusal found = refused(text);
        CHECK(found.sentence == sentence);
        CHECK(found.at == at);
    };
    const std::string cure = ". To search for this text, put it in quotes";
    check("ä -", 2, "'-': after - comes the term that is turned around" + cure);
    check("- x", 0, "'-': after - comes the term that is turned around" + cure);
    check("a --verbose b", 2, "'--verbose': - is given twice" + cure);
    check("a \"b c", 2,
          "'\"b c': the closing quote is missing; \\\" in quotes, or \"\\\"\", stands for a quote");
    check("\"b\\\"", 0,
          "'\"b\\\"': the closing quote is missing; \\\" in quotes, or \"\\\"\", stands for a quote");
    check("\"a\"b c", 0,
          "'\"a\"b': after the closing quote comes a blank; within quotes \\\" stands for a quote");
    check("x a\"b c", 2,
          "'a\"b': a quote stands within a word: put the whole in quotes, where \\\" stands for a quote");
    check("(a|b)", 0,
          "'(a|b)': parentheses hold the values of a field, as in level:(error|critical); to find either of "
          "two "
          "texts, write /one|two/"
              + cure);
    check("status_code > 400", 12,
          "'>': field, comparison and number are written without blanks, as in status>=400" + cure);
    check("a: b", 0, "'a:': after : comes a value without a blank before it; \"\" is the empty one" + cure);
    check("a:\"b\"c", 0,
          "'a:\"b\"c': after a value in quotes comes a blank; within quotes \\\" stands for a quote");
    check("a:>400", 0, "'a:>400': a comparison is written without the colon, as in status>=400" + cure);
    check("http://x", 0, "'http://x': a value that begins with // is put in quotes" + cure);
    check("//", 0, "'//': there is nothing between the slashes" + cure);
    check("a:// b", 0, "'a://': there is nothing between the slashes" + cure);
    check("a:(b", 0, "'a:(b': the list is not closed: a ) is missing" + cure);
    check("a:(b|", 0, "'a:(b|': the list is not closed: a ) is missing" + cure);
    check("a:()", 0, "'a:()': a value is missing; \"\" is the empty one" + cure);
    check("a:(b||c)", 0, "'a:(b||c)': a value is missing; \"\" is the empty one" + cure);
    check("x a:(b c)", 2,
          "'a:(b c)': between the values of a list comes |; a value with blanks is put in quotes");
    check("a:(b)c", 0, "'a:(b)c': after the ) that closes a list comes a blank");
}

TEST_CASE("a long term is shown shortened, at a character") {
    const refusal found = refused("x \"" + repeated("ä", 100));
    CHECK(found.at == 2);
    CHECK(found.sentence.starts_with("'\"" + repeated("ä", 29) + "…': the closing quote is missing"));
}

TEST_CASE("an expression holds so many terms and values, and so many regular expressions") {
    CHECK(parse_query(repeated("w ", 100)).size() == 100);
    CHECK(refused(repeated("w ", 101)).at == 200);
    CHECK(refused(repeated("w ", 101)).sentence == "'w': an expression holds at most 100 terms and values");
    CHECK(parse_query("a:(" + repeated("v|", 99) + "v)").front().values.size() == 100);
    CHECK(refused("a:(" + repeated("v|", 100) + "v)").at == 0);
    CHECK(refused("é " + repeated("a:b ", 40) + "-c>1 d:(" + repeated("v|", 58) + "v)").at == 167);
    CHECK(parse_query(repeated("/a/ ", 7) + "a:/b/").size() == 8);
    CHECK(refused(repeated("/a/ ", 7) + "a:(/b/|/c/)").at == 28);
    CHECK(refused(repeated("/a/ ", 9)).sentence
          == "'/a/': an expression holds at most 8 regular expressions");
}

TEST_CASE("bytes that are not UTF-8 are refused") {
    CHECK_THROWS_AS(parse_query("a \xff"), filter_error);
}
