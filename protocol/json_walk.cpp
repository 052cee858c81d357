// SPDX-License-Identifier: MIT
#include "protocol/json_walk.hpp"

#include <cstddef>

namespace livelogd::protocol {
namespace {

const char* after_blanks(const char* p, const char* end) {
    if (p < end && static_cast<unsigned char>(*p) > ' ') return p;  // as in what has been stored
    while (p < end && is_json_blank(*p))
        ++p;
    return p;
}

/// Past the separator at `p`, if one is there, and the blanks around it.
const char* after_separator(const char* p, const char* end, char separator) {
    p = after_blanks(p, end);
    if (p < end && *p == separator) p = after_blanks(p + 1, end);
    return p;
}

const char* after_scalar(const char* p, const char* end) {
    while (p < end && *p != ',' && *p != '}' && *p != ']' && !is_json_blank(*p))
        ++p;
    return p;
}

json_token value_at(const char* p, const char* end) {
    if (*p == '"') {
        bool escaped = false;
        const char* const after = after_json_string(p, end, escaped);
        return {.kind = json_kind::string, .text = std::string_view(p, static_cast<std::size_t>(after - p))};
    }
    const auto size = static_cast<std::size_t>(after_json_value(p, end) - p);
    return {.kind = kind_of(*p), .text = std::string_view(p, size)};
}

}  // namespace

const char* after_json_value(const char* p, const char* end) {
    bool escaped = false;
    if (*p == '"') return after_json_string(p, end, escaped);
    if (*p != '{' && *p != '[') return after_scalar(p, end);
    std::size_t depth = 0;
    do {
        if (*p == '"') {
            p = after_json_string(p, end, escaped);
            continue;
        }
        if (*p == '{' || *p == '[') ++depth;
        if (*p == '}' || *p == ']') --depth;
        ++p;
    } while (depth != 0);
    return p;
}

json_token first_value(std::string_view bytes) {
    const char* const end = bytes.data() + bytes.size();
    const char* const p = after_blanks(bytes.data(), end);
    return p == end ? json_token{} : value_at(p, end);
}

member_reader::member_reader(const json_token& object) {
    if (object.kind != json_kind::object) return;
    end_ = object.text.data() + object.text.size();
    p_ = after_blanks(object.text.data() + 1, end_);
}

bool member_reader::next(json_member& member) {
    if (p_ == end_ || *p_ == '}') return false;
    member.key = value_at(p_, end_);
    p_ = after_separator(p_ + member.key.text.size(), end_, ':');
    member.value = value_at(p_, end_);
    p_ = after_separator(p_ + member.value.text.size(), end_, ',');
    return true;
}

element_reader::element_reader(const json_token& array) {
    if (array.kind != json_kind::array) return;
    end_ = array.text.data() + array.text.size();
    p_ = after_blanks(array.text.data() + 1, end_);
}

bool element_reader::next(json_token& element) {
    if (p_ == end_ || *p_ == ']') return false;
    element = value_at(p_, end_);
    p_ = after_separator(p_ + element.text.size(), end_, ',');
    return true;
}

json_token member_of(const json_token& object, std::string_view key) {
    json_token found;
    member_reader members(object);
    json_member member;
    while (members.next(member))
        if (string_equals(member.key, key)) found = member.value;
    return found;
}

json_token field_of(const json_token& object, std::string_view name) {
    json_token from = object;
    for (;;) {
        const json_token whole = member_of(from, name);
        if (whole.kind != json_kind::absent) return whole;
        const std::size_t dot = name.find('.');
        if (dot == std::string_view::npos) return {};
        from = member_of(from, name.substr(0, dot));
        name.remove_prefix(dot + 1);
    }
}

}  // namespace livelogd::protocol
