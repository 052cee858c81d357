// SPDX-License-Identifier: MIT
#include "protocol/body_facts.hpp"

#include "protocol/json_walk.hpp"
#include "protocol/llm_spellings.hpp"
#include "protocol/scan.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>

namespace livelogd::protocol {
namespace {

/// Names of models and reasons are shorter; what is longer is somebody's text.
constexpr std::size_t longest_text = 256;

/// What is kept, by path as in the table: whether it is a text or else a number.
using kept_paths = std::map<std::string, bool, std::less<>>;

kept_paths paths_of(body_of whose) {
    if (whose == body_of::request) return {{"model", true}, {"model_name", true}};
    kept_paths paths{{"error_type", true}};
    for (const llm::spelling& row : llm::spellings) {
        if (row.tried_in == llm::scope::record || row.path == "duration_ms") continue;
        paths.emplace(row.path, row.in == llm::unit::text || row.in == llm::unit::reason);
        for (const std::string_view path : row.more.paths)
            if (!path.empty()) paths.emplace(path, false);
    }
    return paths;
}

const kept_paths& kept_of(body_of whose) {
    static const kept_paths request = paths_of(body_of::request);
    static const kept_paths response = paths_of(body_of::response);
    return whose == body_of::request ? request : response;
}

/// Whether something within the value at `path` is kept.
bool leads_on(const kept_paths& kept, const std::string& path) {
    const auto next = kept.lower_bound(path);
    return next != kept.end() && next->first.starts_with(path);
}

/// Chooses the members of one object.
class fact_filter {
  public:
    explicit fact_filter(const kept_paths& kept) : kept_(kept) {}

    /// The kept members, joined by commas. `path`: of the object, with its dot, or empty.
    std::string members(const json_token& object, const std::string& path, bool with_inner_bodies) const {
        std::string result;
        member_reader reader(object);
        json_member member;
        while (reader.next(member)) {
            const std::string value = value_of(member, path, with_inner_bodies);
            if (value.empty()) continue;
            if (!result.empty()) result += ',';
            result.append(member.key.text).append(":").append(value);
        }
        return result;
    }

  private:
    /// What is kept of a member's value; nothing: not even its key.
    [[nodiscard]] std::string value_of(const json_member& member, const std::string& path,
                                       bool with_inner_bodies) const {
        const std::string name = decode_string(member.key);
        const std::string whole = path + name;
        const json_token& value = member.value;
        if (value.kind == json_kind::object) {
            const bool inner = with_inner_bodies && (name == "message" || name == "response");
            if (inner) return in_braces(members(value, {}, false));
            return leads_on(kept_, whole + ".") ? in_braces(members(value, whole + ".", false))
                                                : std::string();
        }
        if (value.kind == json_kind::array) {
            json_token first;
            if (!element_reader(value).next(first)) return {};
            const std::string element = whole + "[0]";
            std::string kept = first.kind == json_kind::object && leads_on(kept_, element + ".")
                                   ? in_braces(members(first, element + ".", false))
                                   : scalar(first, element);
            if (kept.empty()) return kept;
            return "[" + kept + "]";
        }
        return scalar(value, whole);
    }

    [[nodiscard]] std::string scalar(const json_token& value, const std::string& path) const {
        const auto known = kept_.find(path);
        if (known == kept_.end()) return {};
        const bool fits = known->second ? value.is_string() && value.text.size() <= longest_text
                                        : value.is_number() && value.text.size() <= longest_text;
        return fits ? std::string(value.text) : std::string();
    }

    static std::string in_braces(const std::string& members) {
        return members.empty() ? std::string() : "{" + members + "}";
    }

    const kept_paths& kept_;
};

/// The pieces of a stream: many say the same.
class piece_list {
  public:
    void add(std::string members) {
        if (members.empty() || members == last_) return;
        last_ = members;
        if (!first_) {
            first_ = true;
            beginning_ = std::move(members);
            return;
        }
        constexpr std::size_t most = 15;
        end_.push_back(std::move(members));
        if (end_.size() > most) end_.pop_front();
    }

    void put_into(body_facts& facts) const {
        facts.is_array = true;
        facts.members = beginning_;
        for (const std::string& members : end_)
            facts.others.append(",{").append(members).append("}");
    }

  private:
    bool first_ = false;
    std::string beginning_;
    std::string last_;
    std::deque<std::string> end_;
};

class fact_reader {
  public:
    explicit fact_reader(body_of whose) : whose_(whose), filter_(kept_of(whose)) {}

    body_facts read(const json_token& body) {
        body_facts facts;
        if (body.kind == json_kind::object) facts.members = of_object(body);
        if (whose_ == body_of::request) return facts;  // only an object is looked into
        if (body.kind == json_kind::array) read_array(body, facts);
        if (body.is_string()) read_text(decode_string(body), facts);
        return facts;
    }

  private:
    [[nodiscard]] std::string of_object(const json_token& object) const {
        return filter_.members(object, {}, true);
    }

    void read_array(const json_token& array, body_facts& facts) const {
        piece_list pieces;
        element_reader elements(array);
        json_token element;
        while (elements.next(element))
            if (element.kind == json_kind::object) pieces.add(of_object(element));
        pieces.put_into(facts);
    }

    /// As docs/llm-fields.md reads a body that is a string.
    void read_text(std::string_view text, body_facts& facts) {
        const std::string_view whole = without_blanks_in_front(text);
        if ((whole.starts_with('{') || whole.starts_with('[')) && is_json(whole)) {
            facts = read(first_value(whole));
            return;
        }
        piece_list pieces;
        while (!text.empty()) {
            std::string_view line = text.substr(0, std::min(text.find('\n'), text.size()));
            text.remove_prefix(std::min(line.size() + 1, text.size()));
            constexpr std::string_view field = "data:";
            if (line.starts_with(field)) line.remove_prefix(field.size());
            line = without_blanks_in_front(line);
            if (line.starts_with('{') && is_json(line)) pieces.add(of_object(first_value(line)));
        }
        pieces.put_into(facts);
        if (facts.empty()) facts.is_array = false;
    }

    static std::string_view without_blanks_in_front(std::string_view text) {
        const auto first = std::find_if_not(text.begin(), text.end(), is_json_blank);
        return text.substr(static_cast<std::size_t>(first - text.begin()));
    }

    body_of whose_;
    fact_filter filter_;
};

}  // namespace

void body_facts::append_to(std::string& out, std::string_view first_members) const {
    if (is_array) out += '[';
    out.append("{").append(first_members);
    if (!members.empty()) out.append(",").append(members);
    out += '}';
    out += others;
    if (is_array) out += ']';
}

body_facts read_body_facts(const json_token& body, body_of whose) {
    return fact_reader(whose).read(body);
}

}  // namespace livelogd::protocol
