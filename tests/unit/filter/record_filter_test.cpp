// SPDX-License-Identifier: MIT
#include "daemon/filter/record_filter.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/filters.hpp"

#include <string>
#include <vector>

using namespace livelogd::filter;
using livelogd::test::filter_now_us;
using livelogd::test::filter_of;
using livelogd::test::filter_of_q;
using livelogd::test::filter_of_types;
using livelogd::test::passes;
using livelogd::test::view_of;

namespace {

const std::string request =
    R"({"type":"request","request_id":"r1","endpoint":"/api/chat","request_body":{"model":"asked"}})";
const std::string response =
    R"({"type":"response","request_id":"r1","status_code":200,"response_body":{"model":"answered"}})";
const std::string not_found = R"({"type":"response","status_code":404})";
const std::string failure = R"({"type":"error","level":"ERROR"})";
const std::string event = R"({"type":"event","level":"INFO"})";
const std::string untyped = R"({"level":"INFO"})";

bool q(const std::string& expression, std::string_view line) {
    CAPTURE(expression, std::string(line));
    return passes(filter_of_q({expression}), line);
}

/// The sentence for a value that is refused, and its parameter.
std::string refusal(const filter_words& words, const std::string& parameter) {
    try {
        const record_filter filter = filter_of(words);
    } catch (const filter_error& error) {
        CHECK(error.parameter() == parameter);
        CHECK(error.at().has_value() == (parameter == "q"));
        return error.what();
    }
    FAIL("not refused");
    return "";
}

}  // namespace

TEST_CASE("no words, and words that all records fit, let everything through") {
    for (const record_filter& filter :
         {record_filter(), filter_of({}), filter_of_types({"all"}), filter_of_types({"event", "all"}),
          filter_of_q({""}), filter_of_q({" ", "x"}), filter_of_q({"type:all"}), filter_of_q({"\"\""}),
          filter_of({.search = {"", "x"}}), filter_of_q({"type:(event|all)"})}) {
        CHECK(filter.passes_everything());
        CHECK_FALSE(filter.needs_line());
        CHECK(filter.key().empty());
        for (const auto& line : {request, response, not_found, failure, event, untyped})
            CHECK(passes(filter, line));
    }
}

TEST_CASE(
    "type: api is requests and responses, errors are told by level and status, else exactly that type") {
    const auto let_through = [](const record_filter& filter) {
        std::string found;
        for (const auto& line : {request, response, not_found, failure, event, untyped})
            found += passes(filter, line) ? '1' : '0';
        return found;
    };
    CHECK(let_through(filter_of_types({"api"})) == "111000");
    CHECK(let_through(filter_of_types({"errors"})) == "001100");
    CHECK(let_through(filter_of_types({"event"})) == "000010");
    CHECK(let_through(filter_of_types({"event", "errors"})) == "001110");
    CHECK(let_through(filter_of_types({"Event"})) == "000000");
    CHECK(let_through(filter_of_types({"event*"})) == "000000");
    CHECK(let_through(filter_of_q({"type:api"})) == "111000");
    CHECK(let_through(filter_of_q({"-type:api"})) == "000111");
    CHECK(let_through(filter_of_q({"type:errors"})) == "001100");
    CHECK(let_through(filter_of_q({"type:(errors|event)"})) == "001110");
    CHECK(let_through(filter_of_q({"type:\"errors\""})) == "001100");
    CHECK(let_through(filter_of_q({"type:re*"})) == "111000");
    CHECK(let_through(filter_of_q({"type:/^e/"})) == "000110");
    CHECK(let_through(filter_of_q({"type:*"})) == "111110");
    CHECK(let_through(filter_of_q({"-type:all"})) == "000000");
}

TEST_CASE("a type may be spelled with escapes, be very long, or no string") {
    CHECK(passes(filter_of_types({"event"}), R"({"type":"\u0065vent"})"));
    CHECK_FALSE(passes(filter_of_types({"event"}), R"({"type":"\u0065vents"})"));
    CHECK(passes(filter_of_types({"a\"b"}), R"({"type":"a\"b"})"));
    const std::string name(70'000, 'n');
    CHECK(passes(filter_of_types({name}), R"({"type":")" + name + R"("})"));
    CHECK_FALSE(passes(filter_of_types({"event"}), R"({"type":")" + name + R"("})"));
    CHECK(passes(filter_of_types({"5"}), R"({"type":5})"));
    CHECK_FALSE(passes(filter_of_types({"5"}), R"({"type":[5]})"));
    CHECK(q("type:\"\"", R"({"type":""})"));
    CHECK_FALSE(q("type:\"\"", "{}"));
    CHECK(q("type:5*", R"({"type":5.5})"));
}

TEST_CASE("request and response ask for API calls by name, also beside other values") {
    CHECK(filter_of_types({"request"}).asks_for_api_calls());
    CHECK(filter_of_types({"response"}).asks_for_api_calls());
    CHECK(filter_of_types({"errors", "api"}).asks_for_api_calls());
    CHECK(filter_of_types({"all", "request"}).asks_for_api_calls());
    CHECK(filter_of_q({"x type:api"}).asks_for_api_calls());
    CHECK(filter_of_q({"x", "type:(event|response)"}).asks_for_api_calls());
    CHECK_FALSE(filter_of_types({"errors", "event"}).asks_for_api_calls());
    CHECK_FALSE(filter_of_q({"-type:request type:req* type:/response/ api kind:api"}).asks_for_api_calls());
}

TEST_CASE("level is the least severity; in q it compares") {
    const std::string debug = R"({"level":"debug"})";
    const std::string warning = R"({"level":35})";
    const std::string none = "{}";
    const auto level = [](std::vector<std::string> values, const std::string& line) {
        return passes(filter_of({.level = std::move(values)}), line);
    };
    CHECK(level({"WARN"}, warning));
    CHECK(level({"39"}, warning));
    CHECK_FALSE(level({"error"}, warning));
    CHECK(level({"error", "debug"}, debug));
    CHECK(level({"info"}, none));
    CHECK_FALSE(level({"info"}, debug));
    CHECK(q("level:warning", warning));
    CHECK(q("level:30", warning));
    CHECK_FALSE(q("level:info", warning));
    CHECK(q("level:info", none));
    CHECK(q("level:(debug|warning)", warning));
    CHECK(q("level>info", warning));
    CHECK_FALSE(q("level>warning", warning));
    CHECK(q("level>=warning", warning));
    CHECK(q("level<=warning", warning));
    CHECK(q("level<warning", debug));
    CHECK_FALSE(q("level<debug", debug));
    CHECK_FALSE(q("level>critical", R"({"level":"fatal"})"));
    CHECK_FALSE(q("level<trace", R"({"level":"trace"})"));
    CHECK(q("-level>critical", R"({"level":"fatal"})"));
    CHECK(q("level:*", warning));
    CHECK_FALSE(q("level:*", none));
    CHECK_FALSE(q("level:*", R"({"level":null})"));
}

TEST_CASE("endpoint, method and request_id are exactly this value") {
    CHECK(passes(filter_of({.endpoint = {"/api/chat"}}), request));
    CHECK_FALSE(passes(filter_of({.endpoint = {"/api/*"}}), request));
    CHECK_FALSE(passes(filter_of({.endpoint = {"/API/chat"}}), request));
    CHECK(passes(filter_of({.endpoint = {"/x", "/api/chat"}}), request));
    CHECK(passes(filter_of({.method = {"GET"}}), R"({"method":"G\u0045T"})"));
    CHECK_FALSE(passes(filter_of({.method = {"GET"}}), R"({"method":["GET"]})"));
    CHECK(passes(filter_of({.request_id = {"r1"}}), request));
    CHECK(passes(filter_of({.request_id = {"17"}}), R"({"request_id":17})"));
    CHECK_FALSE(passes(filter_of({.request_id = {"17"}}), R"({"request_id":17.0})"));
    CHECK(passes(filter_of({.endpoint = {""}}), R"({"endpoint":""})"));
    CHECK_FALSE(passes(filter_of({.endpoint = {""}}), "{}"));
}

TEST_CASE("model is the one asked for or the one that answered") {
    const std::string both = R"({"request_body":{"model":"a"},"response_body":{"model":"b-2"}})";
    CHECK(passes(filter_of({.model = {"a"}}), both));
    CHECK(passes(filter_of({.model = {"b-2"}}), both));
    CHECK_FALSE(passes(filter_of({.model = {"b"}}), both));
    CHECK_FALSE(passes(filter_of({.model = {""}}), "{}"));
    CHECK(q("model:b*", both));
    CHECK(q("model:/^A$|2$/", both));
    CHECK_FALSE(q("-model:a", both));
    CHECK(q("-model:c", both));
    CHECK(q("model:*", both));
    CHECK_FALSE(q("model:*", "{}"));
    CHECK_FALSE(q("model:**", "{}"));
}

TEST_CASE("status is a number in status_code; in q other values are those of a field of that name") {
    const auto status = [](std::vector<std::string> values, const std::string& line) {
        return passes(filter_of({.status = std::move(values)}), line);
    };
    CHECK(status({"404"}, not_found));
    CHECK(status({"4xx"}, not_found));
    CHECK(status({"400-404"}, not_found));
    CHECK(status({"404-499"}, not_found));
    CHECK_FALSE(status({"405-499"}, not_found));
    CHECK_FALSE(status({"5xx"}, not_found));
    CHECK(status({"5xx", "404"}, not_found));
    CHECK(status({"404"}, R"({"status_code":4.04e2})"));
    CHECK(status({"4xx"}, R"({"status_code":499.5})"));
    CHECK_FALSE(status({"4xx"}, R"({"status_code":500})"));
    CHECK_FALSE(status({"404"}, R"({"status_code":"404"})"));
    CHECK_FALSE(status({"404"}, R"({"status":404})"));
    CHECK(q("status:404", not_found));
    CHECK(q("status:\"4xx\"", not_found));
    CHECK(q("status>=404", not_found));
    CHECK_FALSE(q("status<404", not_found));
    CHECK(q("status:*", not_found));
    CHECK_FALSE(q("status:*", R"({"status":"ok"})"));
    CHECK(q("status:ok", R"({"status":"ok"})"));
    CHECK(q("status:(404|o*)", R"({"status":"ok"})"));
    CHECK(q("status:/^o/", R"({"status":"ok"})"));
    CHECK(q("-status:4xx", R"({"status_code":"404"})"));
}

TEST_CASE("search finds a text in the record, escapes decoded, ASCII letters in either case") {
    const std::string line = R"({"level":"INFO","message":"caf\u00e9 \"Zürich\"\tend"})";
    const auto search = [&](std::vector<std::string> texts) {
        return passes(filter_of({.search = std::move(texts)}), line);
    };
    CHECK(search({"CAFé"}));
    CHECK_FALSE(search({"cafÉ"}));
    CHECK(search({"\"zürich\"\tEND"}));
    CHECK(search({R"("level":"info")"}));
    CHECK_FALSE(search({R"(\u00e9)"}));
    CHECK(search({"nothing", "end"}));
    CHECK_FALSE(search({"nothing"}));
    CHECK(q("café \"Zürich\\\"\"", line));
    CHECK_FALSE(q("café nothing", line));
    CHECK(q("café -nothing", line));
    CHECK(q(R"(/caf. "Z/)", line));
    CHECK_FALSE(q("/CAF/", line));
    CHECK(q("/(?i)CAF/", line));
}

TEST_CASE("a field is looked up as a key, then along its dots") {
    const std::string line =
        R"({"a":{"b":{"c":1},"b.c":2},"x":"1","x":"2","n":null,"o":{},"attributes":{"gen_ai.request.model":"m"},"t":true})";
    CHECK(q("a.b.c:2", line));
    CHECK_FALSE(q("a.b.c:1", line));
    CHECK(q("attributes.gen_ai.request.model:m", line));
    CHECK(q("x:2", line));
    CHECK_FALSE(q("x:1", line));
    CHECK(q("n:null", line));
    CHECK_FALSE(q("n:*", line));
    CHECK(q("o:*", line));
    CHECK_FALSE(q("o:**", line));
    CHECK(q("t:true", line));
    CHECK(q("-missing:*", line));
    CHECK(q("-missing:x", line));
    CHECK(q("-o:x", line));
    CHECK_FALSE(q("missing:\"\"", line));
}

TEST_CASE("values compare exactly, with stars at their ends, or by an expression") {
    const std::string line = R"({"m":"Hello\nWorld","n":1.50,"big":12345678901234567890})";
    CHECK(q("m:Hello*", line));
    CHECK_FALSE(q("m:hello*", line));
    CHECK(q("m:*World", line));
    CHECK(q("m:\"Hello\nWorld\"", line));
    CHECK(q("m:/(?s)^Hello.World$/", line));
    CHECK(q("m:*l*", line));
    CHECK_FALSE(q("m:*x*", line));
    CHECK(q("n:1.50", line));
    CHECK_FALSE(q("n:1.5", line));
    CHECK(q("n:1.5*", line));
    CHECK(q("n:/^1/", line));
    CHECK(q("big:12345678901234567890", line));
}

TEST_CASE("comparisons are of JSON numbers") {
    const std::string line = R"({"n":400,"s":"400","e":1e400,"f":0.1,"big":9007199254740993})";
    CHECK(q("n>=400 n<=400 n>399 n<401 n>=4e2", line));
    CHECK_FALSE(q("n>400", line));
    CHECK_FALSE(q("n<400", line));
    CHECK_FALSE(q("s>1", line));
    CHECK(q("-s>1", line));
    CHECK_FALSE(q("missing<1", line));
    CHECK(q("e>1e308", line));
    CHECK(q("f>-1 f<0.2", line));
    CHECK(q("big>9007199254740992", line));
    CHECK_FALSE(q("big<=9007199254740992", line));
    CHECK(q("big>=9007199254740993 big<=9007199254740993.0 big<9007199254740993.1", line));
    CHECK_FALSE(q("e>1e401", line));
    CHECK(q("f>=0.1000 f<0.10000000000000000001", line));
}

TEST_CASE("different parameters narrow, one given several times means either") {
    filter_words words{.type = {"request", "response"}, .q = {"chat", "status:200"}};
    CHECK(passes(filter_of(words), request));
    CHECK(passes(filter_of(words), response));
    CHECK_FALSE(passes(filter_of(words), not_found));
    words.endpoint = {"/api/chat"};
    CHECK_FALSE(passes(filter_of(words), response));
}

TEST_CASE("of a pair a term holds if it holds for one, a negated one if for neither") {
    const auto pair = [](const filter_words& words, const std::string& a, const std::string& b) {
        const record_filter filter = filter_of(words);
        const bool holds = filter.matches_pair(view_of(a), view_of(b));
        CHECK(filter.matches_pair(view_of(b), view_of(a)) == holds);
        return holds;
    };
    CHECK(pair({.q = {"endpoint:/api/chat status:200"}}, request, response));
    CHECK_FALSE(pair({.q = {"endpoint:/api/chat status:404"}}, request, response));
    CHECK_FALSE(pair({.q = {"-type:response"}}, request, response));
    CHECK(pair({.q = {"-type:event"}}, request, response));
    CHECK(pair({.endpoint = {"/api/chat"}, .status = {"2xx"}}, request, response));
    CHECK(pair({.type = {"errors"}}, request, not_found));
    CHECK(pair({.q = {"status:404", "model:asked model:answered"}}, request, response));
    CHECK_FALSE(pair({.q = {"-model:answered"}}, request, response));
    CHECK(pair({}, request, response));
}

TEST_CASE("since and until make a window: the earlier one, and the later one") {
    constexpr std::int64_t hour = 3'600'000'000;
    const record_filter one = filter_of({.since = {"2h"}, .until = {"2026-11-27 13:30"}});
    CHECK(one.window() == time_window{filter_now_us - 2 * hour, filter_now_us + hour / 2});
    CHECK(one.window().limited());
    CHECK_FALSE(one.passes_everything());
    CHECK_FALSE(one.needs_line());
    CHECK(passes(one, untyped));
    CHECK(one.window().holds(filter_now_us - 2 * hour));
    CHECK_FALSE(one.window().holds(filter_now_us - 2 * hour - 1));
    CHECK(one.window().holds(filter_now_us + hour / 2 - 1));
    CHECK_FALSE(one.window().holds(filter_now_us + hour / 2));
    CHECK(one.window().holds(std::nullopt));

    const record_filter several = filter_of(
        {.since = {"1h", "3h", "2h"}, .until = {"2026-11-27T10:00:00Z", "2026-11-27T13:00:00 01:00"}});
    CHECK(several.window() == time_window{filter_now_us - 3 * hour, filter_now_us});
    CHECK_FALSE(record_filter().window().limited());
    CHECK(time_window().holds(std::numeric_limits<std::int64_t>::max()));
    CHECK(filter_of({.since = {"1h"}, .until = {"2h"}}).window()
          == time_window{filter_now_us - hour, filter_now_us - 2 * hour});
}

TEST_CASE("what the digest answers needs no line") {
    for (const filter_words& words :
         {filter_words{.type = {"errors", "event"}}, filter_words{.level = {"warning"}},
          filter_words{.q = {"-type:api level>=warning"}}, filter_words{.q = {"level:info", "type:x"}},
          filter_words{.since = {"1h"}}})
        CHECK_FALSE(filter_of(words).needs_line());
    for (const filter_words& words :
         {filter_words{.search = {"x"}}, filter_words{.model = {"x"}}, filter_words{.status = {"404"}},
          filter_words{.type = {"5"}}, filter_words{.q = {"type:*"}}, filter_words{.q = {"type:e*"}},
          filter_words{.q = {"level:*"}}, filter_words{.q = {"level:info", "/x/"}}})
        CHECK(filter_of(words).needs_line());
    // The line is not looked at: it need not even be one.
    livelogd::protocol::record_digest digest;
    digest.error = true;
    digest.severity = livelogd::protocol::level::error;
    CHECK(filter_of_q({"type:errors level>=error -type:event"}).matches({"", digest}));
    CHECK_FALSE(filter_of_q({"level>error", "type:event"}).matches({"", digest}));
    // Cheap terms come first, whatever the order they are written in.
    CHECK_FALSE(filter_of_q({"model:x message:y word /regex/ level>error"}).matches({"", digest}));
}

TEST_CASE("equal keys mean the same filter, in whatever order it is written") {
    const auto key = [](const filter_words& words) { return filter_of(words).key(); };
    CHECK(key({.q = {"a b:c -/x/"}}) == key({.q = {"-/x/  b:\"c\" a A"}}));
    CHECK(key({.type = {"a", "b"}}) == key({.type = {"b", "a", "b"}}));
    CHECK(key({.type = {"a"}}) == key({.q = {"type:a"}}));
    CHECK(key({.search = {"Abc"}}) == key({.q = {"aBC"}}));
    CHECK(key({.q = {"a", "b c"}}) == key({.q = {"c b", "a", "a"}}));
    CHECK(key({.since = {"1h"}}) == key({.since = {"60m"}}));
    CHECK(key({.level = {"warn"}}) == key({.q = {"level>=30"}}));
    const std::vector<filter_words> different{{},
                                              {.q = {"a b"}},
                                              {.q = {"\"a b\""}},
                                              {.q = {"a", "b"}},
                                              {.q = {"a -b"}},
                                              {.q = {"-a b"}},
                                              {.q = {"/a/ b"}},
                                              {.q = {"x:a"}},
                                              {.q = {"x:a*"}},
                                              {.q = {"x:*a"}},
                                              {.q = {"x:*a*"}},
                                              {.q = {"x:\"a*\""}},
                                              {.q = {"x:/a/"}},
                                              {.q = {"x:*"}},
                                              {.q = {"x:\"*\""}},
                                              {.q = {"x>1"}},
                                              {.q = {"x>=1"}},
                                              {.q = {"x<1"}},
                                              {.q = {"x>2"}},
                                              {.q = {"x:(a|b)"}},
                                              {.q = {"x:\"a|b\""}},
                                              {.q = {"x:a x:b"}},
                                              {.q = {"level:info"}},
                                              {.q = {"level>=info"}},
                                              {.q = {"level<=info"}},
                                              {.status = {"400"}},
                                              {.status = {"4xx"}},
                                              {.status = {"400-499"}},
                                              {.status = {"400-500"}},
                                              {.model = {"a"}},
                                              {.q = {"model:*"}},
                                              {.type = {"a"}},
                                              {.type = {"errors"}},
                                              {.endpoint = {"a"}},
                                              {.method = {"a"}},
                                              {.since = {"1h"}},
                                              {.until = {"1h"}},
                                              {.q = {"a\\ b"}}};
    for (std::size_t i = 0; i < different.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            CHECK(key(different[i]) != key(different[j]));
}

TEST_CASE("copies share what was compiled") {
    const record_filter one = filter_of_q({"/x/ y"});
    const record_filter two = one;
    CHECK(&one.key() == &two.key());
}

TEST_CASE("a value that cannot be read is refused in a sentence") {
    CHECK(refusal({.type = {"all", ""}}, "type")
          == "the parameter type is empty; it is all, api, errors, or the type of the records wanted");
    CHECK(refusal({.level = {"INFO", "loud"}}, "level")
          == "level must be TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL, or a number from 1 as Python's logging "
             "counts, not 'loud'");
    CHECK(refusal({.status = {"4x"}}, "status") == "status must be like 404, 4xx or 400-499, not '4x'");
    CHECK(refusal({.status = {"499-400"}}, "status")
          == "status must be like 404, 4xx or 400-499, not '499-400'");
    CHECK(refusal({.since = {"yesterday"}}, "since")
          == "since must be a time (2026-11-27T10:30:00Z, 2026-11-27 10:30, 2026-11-27) or an age (30s, 15m, 2h, "
             "1d, 1w), not 'yesterday'");
    CHECK(refusal({.until = {"1h", ""}}, "until").ends_with("not ''"));
    CHECK(refusal({.search = {"\xff"}}, "search") == "search is not UTF-8");
}

TEST_CASE("a term that means nothing is refused with its place") {
    const auto check = [](const std::string& expression, std::size_t at, const std::string& sentence) {
        CAPTURE(expression);
        try {
            const record_filter filter = filter_of_q({expression});
            FAIL("not refused");
        } catch (const filter_error& error) {
            CHECK(error.parameter() == "q");
            CHECK(error.at() == at);
            CHECK(error.what() == sentence);
        }
    };
    const std::string cure = ". To search for this text, put it in quotes";
    const std::string levels =
        "TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL, or a number from 1 as Python's logging counts";
    check("duration_ms>fast", 0, "'duration_ms>fast': after > comes a number" + cure);
    check("ä -x<= y", 2, "'-x<=': after <= comes a number" + cure);
    check("status>=4xx", 0, "'status>=4xx': after >= comes a number" + cure);
    check("timestamp>2026-11-27", 0,
          "'timestamp>2026-11-27': after > comes a number; for times there are the parameters since and until"
              + cure);
    check("level:loud", 0, "'level:loud': a level is " + levels + cure);
    check("level:warn*", 0, "'level:warn*': a level is " + levels + cure);
    check("level:/x/", 0, "'level:/x/': a level is " + levels + cure);
    check("x level>=loud", 2, "'level>=loud': after >= comes a level: " + levels + cure);
    check("status:499-400", 0,
          "'status:499-400': a range of statuses begins with the smaller one, as in 400-499");
    check("x since:2h", 2, "'since:2h': times are not part of q: give them in the parameter since" + cure);
    check("until:\"2026-11-27 10:30\"", 0,
          "'until:\"2026-11-27 10:30\"': times are not part of q: give them in the parameter until" + cure);
    check("x /a(b/", 2, "'/a(b/': the regular expression cannot be used: a ) is missing");
    check("x:(a|/[/)", 0, "'x:(a|/[/)': the regular expression cannot be used: a ] is missing after '['");
    CHECK(q("since:tomorrow", R"({"since":"tomorrow"})"));
}

TEST_CASE("the words of a filter are found by name") {
    filter_words words;
    for (const std::string_view name : filter_parameters())
        values_of(words, name).emplace_back(name);
    CHECK(words.type == std::vector<std::string>{"type"});
    CHECK(words.request_id == std::vector<std::string>{"request_id"});
    CHECK(words.q == std::vector<std::string>{"q"});
    CHECK(filter_parameters().size() == 11);
    CHECK_THROWS(values_of(words, "lines"));
}

TEST_CASE("a filter knows whether it asks for errors alone") {
    const auto asks = [](const std::vector<std::string>& q) {
        filter_words words;
        words.q = q;
        return filter_of(words).asks_for_errors();
    };
    for (const char* q : {"level:ERROR", "level>=ERROR", "level:CRITICAL", "status:4xx", "status:503",
                          "level:ERROR timeout", "timeout level:ERROR -status:404"}) {
        CAPTURE(q);
        CHECK(asks({q}));
    }
    for (const char* q : {"", "level:WARNING", "level>=WARNING", "-level:ERROR", "status:2xx", "status>=399",
                          "status<500", "timeout"}) {
        CAPTURE(q);
        CHECK_FALSE(asks({q}));
    }
    CHECK(asks({"level:ERROR", "status:404"}));
    CHECK_FALSE(asks({"level:ERROR", "status:200"}));
    filter_words words;
    words.type = {"errors"};
    CHECK(filter_of(words).asks_for_errors());
    words.type = {"errors", "response"};
    CHECK_FALSE(filter_of(words).asks_for_errors());
    CHECK_FALSE(record_filter().asks_for_errors());
}
