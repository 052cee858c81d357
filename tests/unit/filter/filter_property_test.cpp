// SPDX-License-Identifier: MIT
// Random filters over random records, evaluated a second time over Boost.JSON's trees in the plainest way.
#include "daemon/filter/query_parser.hpp"
#include "daemon/filter/record_filter.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/filters.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <functional>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <utility>
#include <vector>

using namespace livelogd;

namespace {

namespace json = boost::json;

/// What a term, or a whole filter, says about one record.
using predicate = std::function<bool(const json::object&, const std::string& text)>;

/// A filter, or a part of one, as it is written, and what it means.
struct wanted {
    std::string text;
    predicate holds;
};

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

/// Null pointer: absent.
const json::value* field(const json::object& from, const std::string& name) {
    if (const auto* const found = from.if_contains(name)) return found;
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos) return nullptr;
    const auto* const found = from.if_contains(name.substr(0, dot));
    return found != nullptr && found->is_object() ? field(found->as_object(), name.substr(dot + 1)) : nullptr;
}

/// The vocabulary has no number that Boost.JSON spells in another way, but for 2.5.
std::optional<std::string> scalar(const json::value* value) {
    if (value == nullptr || value->is_structured()) return std::nullopt;
    if (value->is_string()) return std::string(value->as_string());
    if (value->is_double()) return "2.5";
    return json::serialize(*value);
}

std::optional<double> number(const json::value* value) {
    if (value == nullptr) return std::nullopt;
    if (value->is_double()) return value->as_double();
    if (value->is_int64()) return static_cast<double>(value->as_int64());
    return std::nullopt;
}

bool is_there(const json::object& record, const std::string& name) {
    const json::value* const found = field(record, name);
    return found != nullptr && !found->is_null();
}

int severity_of_number(double n) {
    return n >= 50 ? 5 : n >= 40 ? 4 : n >= 30 ? 3 : n >= 20 ? 2 : n >= 10 ? 1 : n >= 1 ? 0 : 2;
}

int severity(const json::object& record) {
    const json::value* const level = field(record, "level");
    if (const auto n = number(level)) return severity_of_number(*n);
    if (level == nullptr || !level->is_string()) return 2;
    const std::string name = lower(std::string(level->as_string()));
    if (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos)
        return severity_of_number(std::stod(name));
    if (name == "debug") return 1;
    if (name == "warning") return 3;
    if (name == "error") return 4;
    return 2;
}

bool is_error(const json::object& record) {
    return severity(record) >= 4 || number(field(record, "status_code")).value_or(0) >= 400;
}

bool type_fits(const json::object& record, const std::string& type) {
    const auto own = scalar(field(record, "type"));
    if (type == "all") return true;
    if (type == "errors") return is_error(record);
    if (type == "api") return own == "request" || own == "response";
    return own == type;
}

class maker {
  public:
    explicit maker(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return random_() % n; }
    bool one_in(std::size_t n) { return below(n) == 0; }
    template <typename T>
    T one_of(const std::vector<T>& all) {
        return all[below(all.size())];
    }

    std::string record() {
        std::string line = "{";
        const std::size_t members = below(7);
        for (std::size_t i = 0; i < members; ++i)
            line += (i == 0 ? "" : ",") + spelled(one_of(keys_)) + ":" + value(2);
        return line + "}";
    }

    /// A value of the parameter q.
    std::pair<std::string, std::vector<wanted>> expression() {
        std::string text;
        std::vector<wanted> terms;
        for (std::size_t i = below(4); i > 0; --i) {
            wanted one = term();
            const bool negated = one_in(4);
            text += (one_in(2) ? " " : "\t") + std::string(negated ? "-" : "") + one.text + " ";
            if (negated)
                one.holds = [holds = one.holds](const auto& record, const auto& decoded) {
                    return !holds(record, decoded);
                };
            one.text = negated ? "-" : "";
            terms.push_back(std::move(one));
        }
        return {text, terms};
    }

    wanted parameter(const std::string& name) {
        if (name == "type") {
            const std::string type =
                one_of<std::string>({"all", "api", "errors", "request", "5", "x y", "null"});
            return {type, [type](const auto& r, const auto&) { return type_fits(r, type); }};
        }
        if (name == "level") {
            const auto [text, lowest] = one_of(levels_);
            return {text, [least = lowest](const auto& r, const auto&) { return severity(r) >= least; }};
        }
        if (name == "status") return status();
        if (name == "search") {
            const std::string text = one_of(texts_);
            return {text, contains(text)};
        }
        const std::string value = one_of(values_);
        return {value, [name, value](const auto& r, const auto&) { return scalar(field(r, name)) == value; }};
    }

    static predicate contains(const std::string& text) {
        return [text = lower(text)](const auto&, const std::string& decoded) {
            return lower(decoded).find(text) != std::string::npos;
        };
    }

  private:
    std::string value(std::size_t depth) {
        switch (below(depth > 0 ? 9 : 6)) {
            case 0:
                return one_of<std::string>({"404", "5", "-5", "30", "2.5", "500"});
            case 1:
                return one_of<std::string>({"true", "false", "null"});
            case 6:
                return one_in(2) ? "[]" : "[" + value(0) + "]";
            case 7:
            case 8:
                return "{" + spelled(one_of(keys_)) + ":" + value(depth - 1) + "}";
            default:
                return spelled(one_of(values_));
        }
    }

    /// A JSON string for these characters, some of them escaped.
    std::string spelled(const std::string& characters) {
        std::string text = "\"";
        for (const char c : characters) {
            if (c == '"' || c == '\\') {
                text += '\\';
                text += c;
            } else if (c == '\n') {
                text += "\\n";
            } else if (c >= '0' && c <= 'z' && one_in(20)) {
                constexpr std::string_view digits = "0123456789abcdef";
                text += "\\u00";
                text += digits[static_cast<std::size_t>(c) / 16];
                text += digits[static_cast<std::size_t>(c) % 16];
            } else {
                text += c;
            }
        }
        return text + '"';
    }

    static std::string quoted(const std::string& text) {
        std::string phrase = "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\') phrase += '\\';
            phrase += c;
        }
        return phrase + '"';
    }

    /// Without quotes where that says the same.
    std::string written(const std::string& text) {
        const bool plain = !text.empty() && text.find_first_of(" \n\"\\*/|()<>") == std::string::npos;
        return plain && one_in(2) ? text : quoted(text);
    }

    wanted status() {
        const auto [text, low, high] = one_of<std::tuple<std::string, double, double>>({{"404", 404, 404},
                                                                                        {"4xx", 400, 499.999},
                                                                                        {"5XX", 500, 599.999},
                                                                                        {"5-404", 5, 404},
                                                                                        {"0", 0, 0}});
        return {text, [least = low, most = high](const auto& r, const auto&) {
                    const auto code = number(field(r, "status_code"));
                    return code && *code >= least && *code <= most;
                }};
    }

    wanted term() {
        switch (below(8)) {
            case 0: {
                const std::string text = one_of(texts_);
                const bool plain = text.find_first_of(" \n\"\\") == std::string::npos && text.front() != '-';
                return {plain && one_in(2) ? text : quoted(text), contains(text)};
            }
            case 1: {
                const std::string expression = one_of(expressions_);
                return {"/" + expression + "/",
                        [compiled = std::regex(expression)](const auto&, const std::string& decoded) {
                            return std::regex_search(decoded, compiled);
                        }};
            }
            case 2:
                return special();
            case 3:
                return comparison();
            default:
                return field_term(one_of(names_));
        }
    }

    wanted special() {
        const std::size_t which = below(6);
        if (which == 0) {
            wanted one = parameter("type");
            return {"type:" + written(one.text), one.holds};
        }
        if (which == 1) {
            const auto [text, level] = one_of(levels_);
            return {"level:" + text, [wanted_level = level](const auto& r, const auto&) {
                        return severity(r) == wanted_level;
                    }};
        }
        if (which == 2) {
            const auto [text, level] = one_of(levels_);
            const std::string sign = one_of<std::string>({">", ">=", "<", "<="});
            return {"level" + sign + text, [sign, limit = level](const auto& r, const auto&) {
                        return compare(severity(r), sign, limit);
                    }};
        }
        if (which == 3) {
            wanted one = status();
            return {"status:" + one.text, one.holds};
        }
        if (which == 4) return {"level:*", [](const auto& r, const auto&) { return is_there(r, "level"); }};
        wanted one = field_value("status", "status", false);
        return {"status:" + one.text, one.holds};
    }

    static bool compare(double a, const std::string& sign, double b) {
        return sign == ">" ? a > b : sign == ">=" ? a >= b : sign == "<" ? a < b : a <= b;
    }

    wanted comparison() {
        const std::string name = one_in(4) ? "status" : one_of(names_);
        const std::string from = name == "status" ? "status_code" : name;
        const std::string sign = one_of<std::string>({">", ">=", "<", "<="});
        const auto [text, operand] = one_of<std::pair<std::string, double>>(
            {{"404", 404}, {"-5", -5}, {"2.5e0", 2.5}, {"4.99", 4.99}, {"1e400", 1e308}});
        return {name + sign + text, [from, sign, limit = operand](const auto& r, const auto&) {
                    const auto value = number(field(r, from));
                    return value && compare(*value, sign, limit);
                }};
    }

    wanted field_term(const std::string& name) {
        if (!one_in(3)) {
            wanted one = field_value(name, name, true);
            return {name + ":" + one.text, one.holds};
        }
        std::string text;
        std::vector<predicate> any;
        for (std::size_t i = 1 + below(3); i > 0; --i) {
            const wanted one = field_value(name, name, true);
            text += (text.empty() ? "" : one_in(2) ? "|" : " | ") + one.text;
            any.push_back(one.holds);
        }
        return {name + ":(" + text + ")", [any](const auto& r, const auto& decoded) {
                    for (const predicate& one : any)
                        if (one(r, decoded)) return true;
                    return false;
                }};
    }

    wanted field_value(const std::string& name, const std::string& from, bool numbers) {
        const std::size_t form = below(6);
        if (form == 0 && numbers)
            return {"*", [name](const auto& r, const auto&) { return is_there(r, name); }};
        if (form == 1) {
            const std::string expression = one_of(expressions_);
            return {"/" + expression + "/",
                    [from, compiled = std::regex(expression)](const auto& r, const auto&) {
                        const auto text = scalar(field(r, from));
                        return text && std::regex_search(*text, compiled);
                    }};
        }
        if (form == 2) {
            const bool front = one_in(2);
            const bool back = !front || one_in(2);
            const std::string part = one_of<std::string>({"re", "st", "", "4", "r", "x", "/a", "ß"});
            if (part.empty() && !(front && back)) return field_value(name, from, numbers);
            return {(front ? "*" : "") + part + (back ? "*" : ""), [=](const auto& r, const auto&) {
                        const auto text = scalar(field(r, from));
                        if (!text) return false;
                        if (front && back) return text->find(part) != std::string::npos;
                        return front ? text->ends_with(part) : text->starts_with(part);
                    }};
        }
        std::string value = one_of(values_);
        while (!numbers && value.find_first_not_of("0123456789") == std::string::npos)
            value = one_of(values_);
        return {written(value),
                [from, value](const auto& r, const auto&) { return scalar(field(r, from)) == value; }};
    }

    std::mt19937 random_;

    const std::vector<std::string> keys_{"type",     "level",  "status_code", "status",
                                         "endpoint", "method", "request_id",  "a",
                                         "a.b",      "b",      "b.a",         "message"};
    const std::vector<std::string> names_{"endpoint", "method", "request_id", "a",       "b",   "a.b",
                                          "b.a",      "a.b.a",  "b.a.b",      "message", "none"};
    const std::vector<std::string> values_{"request", "response", "ERROR",  "warning", "Debug", "30",
                                           "404",     "5",        "x y",    "",        "null",  "true",
                                           "/a/b",    "q\"\\t",   "li\nne", "Straße",  "*",     "r*"};
    const std::vector<std::string> texts_{"re",   "RESPONSE", "404", "\"a\":", "x Y", "e\",\"", "\\t",
                                          "i\nn", "ß",        "SS",  "/a",     "{",   "null",   "*"};
    // The same in RE2 and in std::regex.
    const std::vector<std::string> expressions_{"^r",   "e.*t", "[0-9]{2}", "x y", "(a|b)$",
                                                "t\\b", "ss|ß", "\\\\",     "^$"};
    const std::vector<std::pair<std::string, int>> levels_{{"debug", 1}, {"INFO", 2}, {"warn", 3}, {"35", 3},
                                                           {"Error", 4}, {"7", 0},    {"fatal", 5}};
};

/// The escapes of valid JSON decoded, one character at a time.
std::string decoded_naively(const std::string& line) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] != '\\') {
            text += line[i];
        } else if (line[++i] == 'u') {
            text += static_cast<char>(std::stoi(line.substr(i + 1, 4), nullptr, 16));
            i += 4;
        } else {
            text += line[i] == 'n' ? '\n' : line[i];
        }
    }
    return text;
}

/// The parameters of a filter: of each, what its values mean.
struct random_filter {
    filter::filter_words words;
    /// All must hold; of each one alternative; of that all terms. The text is "-" for a negated term.
    std::vector<std::vector<std::vector<wanted>>> groups;
};

random_filter make_filter(maker& make) {
    random_filter made;
    for (const std::string name : {"type", "level", "endpoint", "method", "request_id", "status", "search"}) {
        if (!make.one_in(7)) continue;
        auto& group = made.groups.emplace_back();
        for (std::size_t i = 1 + make.below(2); i > 0; --i) {
            group.push_back({make.parameter(name)});
            filter::values_of(made.words, name).push_back(group.back().front().text);
            group.back().front().text.clear();
        }
    }
    if (make.one_in(5)) return made;
    auto& group = made.groups.emplace_back();
    for (std::size_t i = make.one_in(4) ? 2 : 1; i > 0; --i) {
        auto [text, terms] = make.expression();
        made.words.q.push_back(text);
        group.push_back(std::move(terms));
    }
    return made;
}

using term_holds = std::function<bool(const wanted& term)>;

bool holds_naively(const random_filter& filter, const term_holds& holds) {
    for (const auto& group : filter.groups) {
        bool one_fits = false;
        for (const auto& alternative : group) {
            bool all = true;
            for (const wanted& term : alternative)
                all = all && holds(term);
            one_fits = one_fits || all;
        }
        if (!one_fits) return false;
    }
    return true;
}

struct record {
    std::string line;
    std::string text;
    json::object tree;

    explicit record(std::string from)
        : line(std::move(from)), text(decoded_naively(line)), tree(json::parse(line).as_object()) {}
};

std::string all_of(const filter::filter_words& words) {
    std::string text;
    for (const auto name : filter::filter_parameters())
        for (const auto& value : filter::values_of(words, name))
            text += std::string(name) + "=" + value + "\n";
    return text;
}

}  // namespace

TEST_CASE("a filter lets through what a naive reading of it does, of records and of pairs") {
    maker make(20261127);
    std::size_t passed = 0;
    std::size_t of_pairs = 0;
    constexpr std::size_t filters = 12'000;
    constexpr std::size_t records = 12;
    for (std::size_t round = 0; round < filters; ++round) {
        const random_filter asked = make_filter(make);
        const filter::record_filter filter = test::filter_of(asked.words);
        REQUIRE(filter.key() == test::filter_of(asked.words).key());
        std::optional<record> before;
        for (std::size_t i = 0; i < records; ++i) {
            record now(make.record());
            const auto one = [&](const wanted& term) { return term.holds(now.tree, now.text); };
            const bool expected = holds_naively(asked, one);
            passed += expected ? 1 : 0;
            INFO(all_of(asked.words) << filter.key() << "\n" << now.line);
            if (filter.matches(test::view_of(now.line)) != expected)
                FAIL("should " << (expected ? "" : "not ") << "pass");
            if (before) {
                // What is turned around holds for neither; what is not, for one.
                const auto either = [&](const wanted& term) {
                    const bool first = term.holds(before->tree, before->text);
                    return term.text == "-" ? first && one(term) : first || one(term);
                };
                const bool pair_expected = holds_naively(asked, either);
                of_pairs += pair_expected ? 1 : 0;
                INFO(before->line);
                if (filter.matches_pair(test::view_of(before->line), test::view_of(now.line))
                    != pair_expected)
                    FAIL("the pair should " << (pair_expected ? "" : "not ") << "pass");
            }
            before.emplace(std::move(now));
        }
    }
    // Neither nearly none nor nearly all.
    CHECK(passed > filters * records / 20);
    CHECK(passed < filters * records * 19 / 20);
    CHECK(of_pairs > filters * records / 20);
}
