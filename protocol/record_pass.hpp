// SPDX-License-Identifier: MIT
// The one pass over the bytes of a record: it validates, leaves white space out, redacts, and notes the known
// fields, all while it is at a byte anyway. A part of scan_record().
//
// It goes down the grammar by recursion, at most max_nesting deep. What can be wrong is only noted as a
// place; scan_fault.hpp finds the words for it.
#pragma once

#include "protocol/json_grammar.hpp"
#include "protocol/json_walk.hpp"
#include "protocol/known_fields.hpp"
#include "protocol/limits.hpp"
#include "protocol/minified_output.hpp"
#include "protocol/redaction.hpp"
#include "protocol/string_marks.hpp"
#include "protocol/text.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace livelogd::protocol {

enum class fault_kind : std::uint8_t { outside_strings, in_string, too_deep };

/// What a pass is given and what it leaves behind.
struct pass_state {
    const char* begin = nullptr;  ///< of the value that is read
    const char* end = nullptr;    ///< of the bytes; the last one is a brace or bracket
    mark_finder find = nullptr;   ///< how strings are read

    // For writing only.
    const redaction_keys* redact = nullptr;  ///< none: nothing is redacted
    minified_output* output = nullptr;

    std::size_t redacted = 0;  ///< values, by their keys

    std::string* key_buffer = nullptr;  ///< for keys with their escapes decoded
    found_fields found;
    few_members* llm = nullptr;  ///< for reading only

    const char* stopped = nullptr;  ///< where a pass that failed could not go on
    fault_kind fault = fault_kind::outside_strings;
};

/// With `writing` only the fields of a digest are noted, without it all of them.
template <bool writing>
class record_pass {
  public:
    explicit record_pass(pass_state& state)
        : state_(state),
          marks_(state.find, state.begin, state.end),
          whole_(state.begin),
          end_(state.end),
          redact_(state.redact),
          output_(state.output) {}

    /// Reads an object as a record. Returns the place behind it, or null.
    const char* record() {
        return members(state_.begin, 1, [](std::string_view key) {
            if constexpr (writing) return digest_keys[key];
            const slot field = record_keys[key];
            return field == slot::none && llm_keys.may_hold(key) ? slot::llm : field;
        });
    }

    /// Reads a value that is nobody's field. Returns the place behind it, or null.
    const char* any_value() { return value(state_.begin, 0); }

  private:
    /// For the three objects of a record in which one field is looked for.
    struct nested_field {
        slot field;
        explicit nested_field(slot wanted) : field(wanted) {}
        slot operator()(std::string_view key) const { return key == nested_key(field) ? field : slot::none; }
    };

    /// For objects in which no field is looked for.
    struct no_field {
        slot operator()(std::string_view) const { return slot::none; }
    };

    const char* stop(const char* p, fault_kind fault = fault_kind::outside_strings) {
        state_.stopped = p;
        state_.fault = fault;
        return nullptr;
    }

    [[nodiscard]] std::uint32_t offset_of(const char* p) const {
        if constexpr (writing) return static_cast<std::uint32_t>(output_->offset_of(p));
        return static_cast<std::uint32_t>(p - whole_);
    }

    /// Past white space, which is left out.
    const char* after_blanks(const char* p) {
        // One comparison for what is the usual case.
        return static_cast<unsigned char>(*p) > ' ' ? p : after_some_blanks(p);
    }

    const char* after_some_blanks(const char* p) {
        if (!is_json_blank(*p)) return p;
        const char* const from = p;
        do
            ++p;
        while (static_cast<unsigned char>(*p) <= ' ' && is_json_blank(*p));
        if constexpr (writing) output_->drop(from, p);
        return p;
    }

    /// Whether `p` is at `wanted` once white space has been passed. What is usual is looked for first, white
    /// space only where something else is found.
    bool comes(const char*& p, char wanted) {
        if (*p == wanted) return true;
        p = after_blanks(p);
        return *p == wanted;
    }

    /// `p`: at the opening quote. Past the closing one, or null.
    const char* after_string(const char* p) {
        const char* const mark = marks_.next(p + 1);
        return *mark == '"' ? mark + 1 : after_rest_of_string(mark);
    }

    /// The same from a mark within the string.
    [[gnu::noinline]] const char* after_rest_of_string(const char* p) {
        while (*p != '"') {
            const char* after = nullptr;
            if (*p == '\\') {
                after = after_escape(p, end_);
            } else if ((*p & 0x80) != 0) {
                after = after_multibyte(p);
            } else if (p == end_ - 1) {
                return stop(end_, fault_kind::in_string);
            }
            if (after == nullptr) return stop(p, fault_kind::in_string);
            p = marks_.next(after);
        }
        return p + 1;
    }

    const char* value(const char* p, std::size_t depth) {
        return *p == '"' ? after_string(p) : other_value(p, depth);
    }

    const char* other_value(const char* p, std::size_t depth) {
        switch (*p) {
            case '{':
                return members(p, depth + 1, no_field());
            case '[':
                return elements(p, depth + 1);
            case 't':
                return after_token(after_literal(p, "true"));
            case 'f':
                return after_token(after_literal(p, "false"));
            case 'n':
                return after_token(after_literal(p, "null"));
            default:
                return after_token(after_number(p));
        }
    }

    const char* after_token(token_end token) { return token.whole ? token.at : stop(token.at); }

    /// `p`: at an opening brace. `field_of` tells which field a key is.
    template <class FieldOf>
    const char* members(const char* p, std::size_t depth, FieldOf field_of) {
        if (depth > max_nesting) return stop(p, fault_kind::too_deep);
        p = after_blanks(p + 1);
        if (*p == '}') return after_closed(p + 1, depth);
        for (;;) {
            if (!comes(p, '"')) return stop(p);
            const char* const inner = p + 1;
            const char* const mark = marks_.next(inner);
            const bool plain = *mark == '"';
            p = plain ? mark + 1 : after_rest_of_string(mark);
            if (p == nullptr) return p;
            const std::string_view spelled(inner, static_cast<std::size_t>(p - 1 - inner));
            std::string_view key = spelled;
            if constexpr (writing || !std::is_same_v<FieldOf, no_field>)
                if (!plain && key.find('\\') != std::string_view::npos) key = decoded(key);
            if (!comes(p, ':')) return stop(p);
            p = after_blanks(p + 1);

            const slot field = field_of(key);
            bool is_redacted = false;
            if constexpr (writing) is_redacted = redact_ != nullptr && redact_->matches(key);
            if (is_redacted) {
                p = redacted(p, depth, field);
            } else if (field == slot::none) {
                p = value(p, depth);
            } else if (!writing && field == slot::llm) {
                p = noted_for_llm(spelled, p, depth);
            } else {
                p = noted(p, depth, field);
            }
            if (p == nullptr) return p;

            if (!comes(p, ',')) return *p == '}' ? after_closed(p + 1, depth) : stop(p);
            ++p;
        }
    }

    /// `p`: at an opening bracket.
    const char* elements(const char* p, std::size_t depth) {
        if (depth > max_nesting) return stop(p, fault_kind::too_deep);
        p = after_blanks(p + 1);
        if (*p == ']') return after_closed(p + 1, depth);
        for (;;) {
            p = value(p, depth);
            if (p == nullptr) return p;
            if (!comes(p, ',')) return *p == ']' ? after_closed(p + 1, depth) : stop(p);
            p = after_blanks(p + 1);
        }
    }

    /// What is not the outermost value cannot be the last thing there is.
    const char* after_closed(const char* p, std::size_t depth) {
        return depth > 1 && p == end_ ? stop(p) : p;
    }

    std::string_view decoded(std::string_view key) {
        state_.key_buffer->clear();
        append_unescaped(*state_.key_buffer, key);
        return *state_.key_buffer;
    }

    /// The value of a known field, or, at the first level, of a key in whose object one is looked for.
    const char* noted(const char* p, std::size_t depth, slot field) {
        const std::uint32_t begin = offset_of(p);
        const json_kind kind = kind_of(*p);
        if constexpr (writing) {
            const char* const end = value(p, depth);
            if (end != nullptr) state_.found.set(field, {begin, offset_of(end) - begin, kind});
            return end;
        }
        const slot own = own_slot(field, depth);
        const bool within = own != field && kind == json_kind::object;
        const char* const after = within ? members(p, depth + 1, nested_field(field)) : value(p, depth);
        if (after != nullptr && own != slot::none)
            state_.found.set(own, {begin, offset_of(after) - begin, kind});
        return after;
    }

    /// `key`: as spelled.
    const char* noted_for_llm(std::string_view key, const char* p, std::size_t depth) {
        const char* const after = value(p, depth);
        if (after != nullptr)
            state_.llm->add({.key = key,
                             .value = {.kind = kind_of(*p),
                                       .text = std::string_view(p, static_cast<std::size_t>(after - p))}});
        return after;
    }

    /// What the value of a key is noted as. That is not `field` if the key stands for one in its object; then
    /// an earlier one is forgotten: of duplicate keys the last one counts, whatever it holds.
    slot own_slot(slot field, std::size_t depth) {
        if (depth != 1 || !is_nested(field)) return field;
        state_.found.unset(field);
        return field == slot::response_error_type ? slot::response_body : slot::none;
    }

    const char* redacted(const char* p, std::size_t depth, slot field) {
        const minified_output::place before = output_->here();
        const char* const after = value(p, depth);
        if (after == nullptr) return after;
        output_->replace(before, p, after, redacted_value);
        ++state_.redacted;
        constexpr auto size = static_cast<std::uint32_t>(redacted_value.size());
        if (field != slot::none) state_.found.set(field, {offset_of(after) - size, size, json_kind::string});
        return after;
    }

    pass_state& state_;
    string_marks marks_;
    const char* const whole_;
    const char* const end_;
    const redaction_keys* const redact_;
    minified_output* const output_;
};

}  // namespace livelogd::protocol
