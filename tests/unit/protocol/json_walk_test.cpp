// SPDX-License-Identifier: MIT
#include "protocol/json_walk.hpp"

#include "tests/support/catch.hpp"

#include <boost/json.hpp>

#include <random>
#include <string>
#include <vector>

using namespace livelogd::protocol;
namespace json = boost::json;

namespace {

std::string text(const json_token& token) {
    return std::string(token.text);
}

/// A random JSON text, in whose objects keys come twice now and then.
class document_writer {
  public:
    document_writer(unsigned seed, bool blanks) : random_(seed), blanks_(blanks) {}

    std::string object() {
        std::string out = blank();
        write_object(out, 0);
        return out + blank();
    }

    /// Among them names that are parts of each other, with dots, empty ones and such as need escapes.
    static const std::vector<std::string>& names() {
        static const std::vector<std::string> all{"a",   "b",  "c", "a.b",  "b.c",      "a.b.c",
                                                  "aa",  "",   ".", ".b",   "a.",       "a..b",
                                                  "\"",  "\\", "}", "a\"b", "\xC3\xA9", "\xF0\x9F\x98\x80",
                                                  "x y", "c.a"};
        return all;
    }

  private:
    int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

    std::string blank() {
        std::string out;
        if (blanks_)
            for (int n = pick(0, 2); n > 0; --n)
                out += " \t\n\r"[pick(0, 3)];
        return out;
    }

    void write_string(std::string& out, const std::string& characters) {
        std::string spelled = json::serialize(json::string(characters));
        // Now and then with an escape that need not be there.
        if (spelled.size() > 2 && spelled[1] >= 'a' && spelled[1] <= 'c' && pick(0, 3) == 0)
            spelled.replace(1, 1, std::string("\\u006") + static_cast<char>(spelled[1] - 'a' + '1'));
        out += spelled;
    }

    void write_scalar(std::string& out) {
        static const std::vector<std::string> scalars{"0",     "-1",   "1.5e3", "1E-2", "true",
                                                      "false", "null", "12345", "-0.0", "7"};
        static const std::vector<std::string> strings{
            "",     "text", "{\"a\":1}", "]", "\\", "\"", ",", "a\\\"", "long enough for a word or two",
            "\n\t", ":"};
        if (pick(0, 1) == 0) {
            out += scalars[static_cast<std::size_t>(pick(0, static_cast<int>(scalars.size()) - 1))];
        } else {
            write_string(out,
                         strings[static_cast<std::size_t>(pick(0, static_cast<int>(strings.size()) - 1))]);
        }
    }

    void write_value(std::string& out, int depth) {
        const int kind = depth < 4 ? pick(0, 3) : 0;
        if (kind == 2) {
            write_object(out, depth + 1);
        } else if (kind == 3) {
            write_array(out, depth + 1);
        } else {
            write_scalar(out);
        }
    }

    void write_object(std::string& out, int depth) {
        out += "{" + blank();
        for (int n = pick(0, 6), i = 0; i < n; ++i) {
            if (i > 0) out += "," + blank();
            write_string(out,
                         names()[static_cast<std::size_t>(pick(0, static_cast<int>(names().size()) - 1))]);
            out += blank() + ":" + blank();
            write_value(out, depth);
            out += blank();
        }
        out += "}";
    }

    void write_array(std::string& out, int depth) {
        out += "[" + blank();
        for (int n = pick(0, 4), i = 0; i < n; ++i) {
            if (i > 0) out += "," + blank();
            write_value(out, depth);
            out += blank();
        }
        out += "]";
    }

    std::mt19937 random_;
    bool blanks_;
};

/// What the walk reads, as a tree of the other library: of duplicate keys the last one, as there.
json::value tree_of(const json_token& token) {
    if (token.kind == json_kind::object) {
        json::object object;
        member_reader members(token);
        json_member member;
        while (members.next(member))
            object[decode_string(member.key)] = tree_of(member.value);
        CHECK_FALSE(members.next(member));
        return object;
    }
    if (token.kind == json_kind::array) {
        json::array array;
        element_reader elements(token);
        json_token element;
        while (elements.next(element))
            array.push_back(tree_of(element));
        CHECK_FALSE(elements.next(element));
        return array;
    }
    if (token.is_string()) return json::string(decode_string(token));
    return json::parse(token.text);
}

const json::value* tree_field(const json::value& from, std::string_view name) {
    if (!from.is_object()) return nullptr;
    const json::object& object = from.as_object();
    if (const json::value* whole = object.if_contains(name)) return whole;
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return nullptr;
    const json::value* outer = object.if_contains(name.substr(0, dot));
    return outer == nullptr ? nullptr : tree_field(*outer, name.substr(dot + 1));
}

void check_same(const json_token& token, const json::value* expected) {
    REQUIRE((token.kind != json_kind::absent) == (expected != nullptr));
    if (expected != nullptr) CHECK(tree_of(token) == *expected);
}

}  // namespace

TEST_CASE("a value's kind is seen at its first character") {
    CHECK(kind_of('{') == json_kind::object);
    CHECK(kind_of('[') == json_kind::array);
    CHECK(kind_of('"') == json_kind::string);
    CHECK(kind_of('t') == json_kind::boolean);
    CHECK(kind_of('f') == json_kind::boolean);
    CHECK(kind_of('n') == json_kind::null);
    CHECK(kind_of('-') == json_kind::number);
    CHECK(kind_of('0') == json_kind::number);
}

TEST_CASE("the first value ends where it ends") {
    const auto check = [](std::string_view bytes, json_kind kind, std::string_view spelled) {
        CAPTURE(bytes);
        const json_token value = first_value(bytes);
        CHECK(value.kind == kind);
        CHECK(value.text == spelled);
    };
    check("5", json_kind::number, "5");
    check(" \t\r\n-1.5e3 ", json_kind::number, "-1.5e3");
    check("true", json_kind::boolean, "true");
    check("null\n", json_kind::null, "null");
    check(R"( "a\"b\\" )", json_kind::string, R"("a\"b\\")");
    check(R"({"a":"}","b":[{}]} )", json_kind::object, R"({"a":"}","b":[{}]})");
    check(R"([ "]" , [ ] ] )", json_kind::array, R"([ "]" , [ ] ])");
    check("", json_kind::absent, "");
    check(" \n", json_kind::absent, "");
}

TEST_CASE("a string's end is found wherever its quotes and backslashes stand") {
    // Words of 8 bytes are looked at together: each place in them, and the bytes that look like a mark.
    for (std::size_t size = 0; size < 40; ++size) {
        for (const char filler : {'a', '!', '#', '[', ']', '\xA2', '\xDC', '\x23', '\x5D'}) {
            const std::string plain = '"' + std::string(size, filler) + "\"rest";
            bool escaped = false;
            const char* const end = plain.data() + plain.size();
            CHECK(after_json_string(plain.data(), end, escaped) == plain.data() + size + 2);
            CHECK_FALSE(escaped);
            const std::string with_escape = '"' + std::string(size, filler) + "\\\"" + filler + "\\\\\"";
            const char* const last = with_escape.data() + with_escape.size();
            CHECK(after_json_string(with_escape.data(), last, escaped) == last);
            CHECK(escaped);
        }
    }
}

TEST_CASE("nothing is read of values of other kinds") {
    for (const char* bytes : {"5", "null", "true", "\"{}\"", "[]", "[{\"a\":1}]", ""}) {
        json_member member;
        CHECK_FALSE(member_reader(first_value(bytes)).next(member));
        CHECK(member_of(first_value(bytes), "a").kind == json_kind::absent);
        CHECK(field_of(first_value(bytes), "a.b").kind == json_kind::absent);
    }
    for (const char* bytes : {"5", "null", "true", "\"[]\"", "{}", "{\"a\":[1]}", ""}) {
        json_token element;
        CHECK_FALSE(element_reader(first_value(bytes)).next(element));
    }
}

TEST_CASE("members come in order, with duplicates, as spelled") {
    const json_token object = first_value(R"({ "a" : 1 , "\u0061":[ 2 ], "b":{"a":3} , "a":null })");
    member_reader members(object);
    json_member member;
    std::vector<std::string> seen;
    while (members.next(member))
        seen.push_back(text(member.key) + "=" + text(member.value));
    CHECK(seen == std::vector<std::string>{R"("a"=1)", R"("\u0061"=[ 2 ])", R"("b"={"a":3})", R"("a"=null)"});
    CHECK(member_of(object, "a").kind == json_kind::null);
    CHECK(text(member_of(first_value(R"({"a":1,"\u0061":2})"), "a")) == "2");
    CHECK(member_of(object, "c").kind == json_kind::absent);
}

TEST_CASE("a field is a flat key first, then goes on behind the first dot") {
    const auto field = [](std::string_view object, std::string_view name) {
        return text(field_of(first_value(object), name));
    };
    CHECK(field(R"({"a":{"b":{"c":1}}})", "a.b.c") == "1");
    CHECK(field(R"({"a.b":2,"a":{"b":1}})", "a.b") == "2");
    CHECK(field(R"({"a":{"b":1},"a.b":null})", "a.b") == "null");
    CHECK(field(R"({"a":{"b.c":3,"b":{"c":1}}})", "a.b.c") == "3");
    CHECK(field(R"({"a.b":{"c":1}})", "a.b.c").empty());
    CHECK(field(R"({"a":{"b":1},"a":{}})", "a.b").empty());
    CHECK(field(R"({"a":{"":{"b":1}}})", "a..b") == "1");
    CHECK(field(R"({"":{"":4}})", ".") == "4");
    CHECK(field(R"({"":4})", "") == "4");
    CHECK(field(R"({"a":5})", "a.").empty());
    CHECK(field(R"({"a":[{"b":1}]})", "a.b").empty());
}

TEST_CASE("nesting costs no stack") {
    constexpr std::size_t depth = 1'000'000;
    const std::string deep = R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + R"(,"b":1})";
    CHECK(text(member_of(first_value(deep), "b")) == "1");
    CHECK(member_of(first_value(deep), "a").text.size() == 2 * depth);
}

TEST_CASE("the walk sees what a parsed tree holds") {
    for (unsigned seed = 0; seed < 4'000; ++seed) {
        const std::string bytes = document_writer(seed, seed % 2 == 0).object();
        CAPTURE(seed, bytes);
        const json::value expected = json::parse(bytes);
        // A buffer without a byte to spare: reading behind the end is seen by the sanitizers.
        const std::vector<char> exact(bytes.begin(), bytes.end());
        const json_token object = first_value({exact.data(), exact.size()});
        REQUIRE(tree_of(object) == expected);
        for (const std::string& name : document_writer::names()) {
            CAPTURE(name);
            check_same(member_of(object, name), expected.as_object().if_contains(name));
            check_same(field_of(object, name), tree_field(expected, name));
            check_same(field_of(object, name + ".a"), tree_field(expected, name + ".a"));
        }
    }
}
