// SPDX-License-Identifier: MIT
#include "daemon/filter/value_test.hpp"

#include <cstring>
#include <utility>

namespace livelogd::filter {
namespace {

/// In time proportional to the text, which std::string_view::find does not promise.
bool contains(std::string_view text, std::string_view part) {
    return part.empty()
           || (!text.empty() && ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr);
}

}  // namespace

value_test::value_test(syntax::value value) : value_(std::move(value)) {
    if (value_.form == syntax::value_form::expression) pattern_.emplace(value_.text);
}

bool value_test::holds(std::string_view characters) const {
    if (pattern_) return pattern_->matches_in(characters);
    if (value_.open_front && value_.open_back) return contains(characters, value_.text);
    if (value_.open_front) return characters.ends_with(value_.text);
    if (value_.open_back) return characters.starts_with(value_.text);
    return characters == value_.text;
}

bool value_test::holds(const protocol::json_token& token) const {
    switch (token.kind) {
        case protocol::json_kind::string:
            if (value_.form == syntax::value_form::exact) return protocol::string_equals(token, value_.text);
            if (token.inner().find('\\') == std::string_view::npos) return holds(token.inner());
            return holds(std::string_view(protocol::decode_string(token)));
        case protocol::json_kind::number:
        case protocol::json_kind::boolean:
        case protocol::json_kind::null:
            return holds(token.text);
        case protocol::json_kind::absent:
        case protocol::json_kind::object:
        case protocol::json_kind::array:
            break;
    }
    return false;
}

bool value_test::may_hold_without_characters() const {
    if (value_.form != syntax::value_form::exact) return true;
    const std::string& text = value_.text;
    return text.empty() || text == "null" || text == "true" || text == "false" || text.front() == '-'
           || (text.front() >= '0' && text.front() <= '9');
}

text_traces value_test::traces(text_traces::worth w) const {
    return pattern_ ? text_traces() : text_traces::of_text(value_.text, w);
}

text_traces value_test::nested_traces() const {
    return pattern_ ? text_traces() : text_traces::of_nested_text(value_.text);
}

std::string value_test::key() const {
    const std::string_view front = value_.form == syntax::value_form::expression ? "~"
                                   : value_.open_front                           ? "*"
                                                                                 : "";
    return std::string(front) + quoted_key(value_.text) + (value_.open_back ? "*" : "");
}

std::string quoted_key(std::string_view text) {
    std::string key = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') key += '\\';
        key += c;
    }
    return key + '"';
}

}  // namespace livelogd::filter
