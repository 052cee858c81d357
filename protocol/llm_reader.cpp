// SPDX-License-Identifier: MIT
#include "protocol/llm_reader.hpp"

#include "protocol/scan.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <cmath>

namespace livelogd::protocol::llm {
namespace {

constexpr double ns_per_ms = 1e6;
constexpr double ns_per_s = 1e9;

/// Whole numbers above it cannot be told apart in a double, nor in most programs that write JSON.
constexpr double most_tokens = 9007199254740991;  // 2^53 - 1

std::optional<double> number_of_tokens(const json_token& token) {
    const std::optional<double> number = number_value(token);
    if (!number || !(*number >= 0 && *number <= most_tokens) || *number != std::floor(*number)) return {};
    return number;
}

std::optional<double> number_of_at_least_0(const json_token& token) {
    const std::optional<double> number = number_value(token);
    if (!number || !std::isfinite(*number) || *number < 0) return {};
    return number;
}

/// std::round() for what is at least 0, without a call.
double rounded(double amount) {
    constexpr double all_whole = 0x1p52;  // from here on
    if (!(amount < all_whole)) return amount;
    const auto whole = static_cast<double>(static_cast<std::int64_t>(amount));
    return amount - whole >= 0.5 ? whole + 1 : whole;
}

/// At most 2^63: such a time can still be told from none, and subtracted.
std::optional<double> whole_ns(const json_token& token, double ns_per_unit) {
    const std::optional<double> number = number_of_at_least_0(token);
    if (!number) return {};
    return std::min(rounded(*number * ns_per_unit), 0x1p63);
}

/// Of rows that are numbers; nothing if the value does not fit.
std::optional<double> amount_of(const json_token& token, unit in) {
    switch (in) {
        case unit::tokens:
            return number_of_tokens(token);
        case unit::ns:
            return whole_ns(token, 1);
        case unit::ms:
            return whole_ns(token, ns_per_ms);
        case unit::s:
            return whole_ns(token, ns_per_s);
        case unit::s_per_token:
            return number_of_at_least_0(token);
        case unit::tokens_per_s: {
            const std::optional<double> speed = number_of_at_least_0(token);
            return speed && *speed > 0 ? speed : std::nullopt;
        }
        case unit::text:
        case unit::reason:
            break;
    }
    return {};
}

json_token first_element(const json_token& array) {
    json_token first;
    element_reader(array).next(first);
    return first;
}

constexpr bool is_text(unit in) {
    return in == unit::text || in == unit::reason;
}

std::optional<reading> read_text_row(const resolved_row& row, const json_token& text) {
    if (!text.is_string() || text.inner().empty()) return {};
    if (row.row.in == unit::reason && string_equals(text, "none")) return {};
    return reading{.rank = row.rank, .text = text, .amount = 0, .tokens = {}};
}

/// The tokens that go with a row's time: what the first slot tells, less what the second does.
std::optional<double> tokens_with(const resolved_row& row, const object_values& object) {
    const std::optional<double> tokens = number_of_tokens(object[row.more[0]]);
    if (!tokens || row.more[1] == no_slot) return tokens;
    const double less = number_of_tokens(object[row.more[1]]).value_or(0);
    return less <= *tokens ? *tokens - less : *tokens;
}

std::optional<reading> read_number_row(const resolved_row& row, const json_token& value,
                                       const object_values& object) {
    if (row.row.more.how == rule::plus || row.row.more.how == rule::minus) {
        // Mostly one is missing, which is seen before any number is read.
        for (const slot at : row.more)
            if (at != no_slot && object[at].kind == json_kind::absent) return {};
    }
    const std::optional<double> alone = amount_of(value, row.row.in);
    if (!alone) return {};
    reading result{.rank = row.rank, .text = {}, .amount = *alone, .tokens = {}};
    if (row.row.more.how == rule::with) {
        result.tokens = tokens_with(row, object);
        return result;
    }
    for (const slot at : row.more) {
        if (at == no_slot) break;
        const std::optional<double> other = amount_of(object[at], row.row.in);
        if (!other && row.row.more.how != rule::plus_told) return {};
        result.amount += row.row.more.how == rule::minus ? -other.value_or(0) : other.value_or(0);
    }
    if (result.amount < 0) return {};
    return result;
}

/// The line's end, or the text's.
std::size_t end_of_line(std::string_view text) {
    return std::min(text.find('\n'), text.size());
}

std::string_view without_blanks_in_front(std::string_view text) {
    const auto first = std::find_if_not(text.begin(), text.end(), is_json_blank);
    return text.substr(static_cast<std::size_t>(first - text.begin()));
}

}  // namespace

void object_values::set(slot at, const json_token& value) {
    std::uint64_t& present = present_[at / 64];
    const std::uint64_t bit = std::uint64_t{1} << at % 64;
    // What is null is as if it were not there, but takes the place of what was.
    if (value.kind == json_kind::absent && (present & bit) == 0) return;
    if ((present & bit) == 0) set_[set_count_++] = at;
    present |= bit;
    places_[at] = {.data = value.text.data(),
                   .size = value.text.size(),
                   .kind = value.kind == json_kind::absent ? json_kind::null : value.kind};
}

void object_values::clear() {
    present_ = {};
    set_count_ = 0;
}

void object_values::begin(std::initializer_list<std::pair<slot, json_token>> values,
                          std::span<const few_members::member> others) {
    clear();
    for (const auto& [at, value] : values)
        set(at, value);
    for (const few_members::member& other : others)
        set_member(keys_->parts().front(), other.key, other.value);
    read_parts_within();
}

void object_values::read(const json_token& object) {
    clear();
    if (object.kind != json_kind::object) return;
    read_part(keys_->parts().front(), object);
    read_parts_within();
}

/// A part's object is looked at when the one around it has been read to its end: of duplicate keys the last
/// one counts, and with it all that is in it.
void object_values::read_parts_within() {
    if (set_count_ == 0) return;
    for (const key_index::part& part : keys_->parts().subspan(1))
        if (const json_token found = (*this)[part.at]; found.kind == json_kind::object)
            read_part(part, found);
}

void object_values::read_part(const key_index::part& part, const json_token& object) {
    member_reader members(object);
    json_member member;
    while (members.next(member)) {
        set_member(part, member.key.inner(), member.value);
    }
}

/// `name`: as spelled.
void object_values::set_member(const key_index::part& part, std::string_view name, const json_token& value) {
    if (name.find('\\') != std::string_view::npos) {
        decoded_.clear();
        append_unescaped(decoded_, name);
        name = decoded_;
    }
    const slot at = keys_->find(part, name);
    if (at != no_slot) set(at, keys_->takes_first_element(at) ? first_element(value) : value);
}

void reader::read(std::string_view line) {
    record_.read(first_value(line));
    read_all_objects();
}

void reader::read(std::string_view line, const record_fields& fields) {
    if (!fields.llm.all()) {
        read(line);
        return;
    }
    record_.begin({{response_body_slot, fields.response_body},
                   {attributes_slot, fields.attributes},
                   {duration_slot, fields.duration_ms},
                   {request_body_slot, fields.request_body}},
                  fields.llm.members());
    read_all_objects();
}

/// From the last object to be tried to the first: what is read later takes the place of what was there.
void reader::read_all_objects() {
    read_inner(record_[attributes_slot], scope::all);
    read_body_or_bodies(record_[response_body_slot]);
    consider(record_, scope::record);
}

void reader::read_body_or_bodies(const json_token& found) {
    if (found.kind == json_kind::object) read_body(found);
    if (found.is_string()) {
        append_unescaped(text_, found.inner());
        read_text(text_);
    }
    element_reader elements(found);
    json_token element;
    while (elements.next(element))
        if (element.kind == json_kind::object) read_body(element);
}

void reader::read_text(std::string_view text) {
    const std::string_view whole = without_blanks_in_front(text);
    if ((whole.starts_with('{') || whole.starts_with('[')) && is_json(whole)) {
        read_body_or_bodies(first_value(whole));
        return;
    }
    while (!text.empty()) {
        std::string_view line = text.substr(0, end_of_line(text));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        constexpr std::string_view field = "data:";
        if (line.starts_with(field)) line.remove_prefix(field.size());
        line = without_blanks_in_front(line);
        if (line.starts_with('{') && is_json(line)) read_body(first_value(line));
    }
}

void reader::read_body(const json_token& object) {
    if (!body_) body_.emplace(keys_);
    body_->read(object);
    if (body_->slots().empty()) return;
    read_inner((*body_)[response_slot], scope::bodies);
    read_inner((*body_)[message_slot], scope::bodies);
    body_->set(duration_slot, record_[duration_slot]);
    consider(*body_, scope::bodies);
}

void reader::read_inner(const json_token& object, scope kind) {
    if (object.kind != json_kind::object) return;
    if (!inner_) inner_.emplace(keys_);
    inner_->read(object);
    if (inner_->slots().empty()) return;
    inner_->set(duration_slot, record_[duration_slot]);
    consider(*inner_, kind);
}

void reader::consider(const object_values& object, scope kind) {
    for (const slot at : object.slots()) {
        for (const resolved_row& row :
             rows_.subspan(rows_begin_[at], rows_begin_[at + 1U] - rows_begin_[at])) {
            if (row.row.tried_in != scope::all && row.row.tried_in != kind) continue;
            std::optional<reading>& best = readings_[static_cast<std::size_t>(row.row.of)];
            if (best && best->rank < row.rank) continue;
            const std::optional<reading> told = is_text(row.row.in)
                                                    ? read_text_row(row, object[at])
                                                    : read_number_row(row, object[at], object);
            if (told) best = told;
        }
    }
}

}  // namespace livelogd::protocol::llm
