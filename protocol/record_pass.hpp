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

    // For writing only.
    const redaction_keys* redact = nullptr;  ///< none: nothing is redacted
    minified_output* output = nullptr;

    std::string* key_buffer = nullptr;  ///< for keys with their escapes decoded
    found_fields found;

    const char* stopped = nullptr;  ///< where a pass that failed could not go on
    fault_kind fault = fault_kind::outside_strings;
};

/// `Marks`: how strings are read (string_marks.hpp). Without `writing` the fields are only noted.
template <class Marks, bool writing>
class record_pass {
  public:
    explicit record_pass(pass_state& state)
        : state_(state), whole_(state.begin), end_(state.end), redact_(state.redact) {}

    /// Reads an object as a record. Returns the place behind it, or null.
    const char* record() {
        return members(state_.begin, 1, [this](std::string_view key) {
            nested_ = nested_slot(key);
            // Of duplicate keys the last one counts, whatever it holds.
            if (nested_ != slot::none) state_.found[nested_] = {};
            return top_level_slot(key);
        });
    }

    /// Reads a value that is nobody's field. Returns the place behind it, or null.
    const char* any_value() { return value(state_.begin, 0); }

  private:
    /// For objects in which no field is looked for.
    struct no_field {
        slot operator()(std::string_view) const { return slot::none; }
    };

    const char* stop(const char* p, fault_kind fault = fault_kind::outside_strings) {
        state_.stopped = p;
        state_.fault = fault;
        return nullptr;
    }

    [[nodiscard]] std::size_t offset_of(const char* p) const {
        if constexpr (writing) return state_.output->offset_of(p);
        return static_cast<std::size_t>(p - whole_);
    }

    /// Past white space, which is left out.
    const char* after_blanks(const char* p) {
        if (!is_json_blank(*p)) return p;
        const char* const from = p;
        do
            ++p;
        while (is_json_blank(*p));
        if constexpr (writing) state_.output->drop(from, p);
        return p;
    }

    /// `p`: past the opening quote. `escaped`: set if there is a backslash.
    const char* after_string(const char* p, bool& escaped) {
        for (;;) {
            p = find_mark<Marks>(p, whole_, end_);
            if (p == end_) return stop(p, fault_kind::in_string);
            if (*p == '"') return p + 1;
            const char* next = nullptr;
            if (*p == '\\') {
                escaped = true;
                next = after_escape(p, end_);
            } else if ((*p & 0x80) != 0) {
                next = after_multibyte(p);
            }
            if (next == nullptr) return stop(p, fault_kind::in_string);
            p = next;
        }
    }

    const char* value(const char* p, std::size_t depth) {
        bool escaped = false;
        const char* after = nullptr;
        switch (*p) {
            case '"':
                return after_string(p + 1, escaped);
            case '{':
                after = members(p, depth + 1, no_field());
                break;
            case '[':
                after = elements(p, depth + 1);
                break;
            case 't':
                after = after_literal(p, "rue");
                return after != nullptr ? after : stop(p);
            case 'f':
                after = after_literal(p, "alse");
                return after != nullptr ? after : stop(p);
            case 'n':
                after = after_literal(p, "ull");
                return after != nullptr ? after : stop(p);
            default:
                after = after_number(p);
                return after != nullptr ? after : stop(p);
        }
        return after;
    }

    /// The value of a member, `depth` levels deep; in it `nested_` is looked for.
    const char* member_value(const char* p, std::size_t depth) {
        if (nested_ == slot::none || depth != 1 || *p != '{') return value(p, depth);
        return members(p, depth + 1, [this, wanted = nested_](std::string_view key) {
            return key == nested_key(wanted) ? wanted : slot::none;
        });
    }

    /// `p`: at an opening brace. `field_of` tells which field a key is.
    template <class FieldOf>
    const char* members(const char* p, std::size_t depth, FieldOf field_of) {
        if (depth > max_nesting) return stop(p, fault_kind::too_deep);
        p = after_blanks(p + 1);
        if (*p == '}') return after_closed(p + 1, depth);
        for (;;) {
            if (*p != '"') return stop(p);
            const char* const inner = p + 1;
            bool escaped = false;
            p = after_string(inner, escaped);
            if (p == nullptr) return p;
            std::string_view key(inner, static_cast<std::size_t>(p - 1 - inner));
            if constexpr (writing || !std::is_same_v<FieldOf, no_field>)
                if (escaped) key = decoded(key);
            p = after_blanks(p);
            if (*p != ':') return stop(p);
            p = after_blanks(p + 1);

            const slot field = field_of(key);
            if (writing && redact_ != nullptr && redact_->matches(key)) {
                p = redacted(p, depth, field);
            } else if (field == slot::none) {
                p = member_value(p, depth);
            } else {
                p = noted(p, depth, field);
            }
            if (p == nullptr) return p;

            p = after_blanks(p);
            if (*p == '}') return after_closed(p + 1, depth);
            if (*p != ',') return stop(p);
            p = after_blanks(p + 1);
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
            p = after_blanks(p);
            if (*p == ']') return after_closed(p + 1, depth);
            if (*p != ',') return stop(p);
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

    const char* noted(const char* p, std::size_t depth, slot field) {
        found_fields::extent& place = state_.found[field];
        place = {.begin = offset_of(p), .size = 0, .kind = kind_of(*p)};
        const char* const after = value(p, depth);
        if (after != nullptr) place.size = offset_of(after) - place.begin;
        return after;
    }

    const char* redacted(const char* p, std::size_t depth, slot field) {
        const minified_output::place before = state_.output->here();
        const char* const after = value(p, depth);
        if (after == nullptr) return after;
        state_.output->replace(before, p, after, redacted_value);
        if (field != slot::none) {
            const std::size_t end = offset_of(after);
            state_.found[field] = {.begin = end - redacted_value.size(),
                                   .size = redacted_value.size(),
                                   .kind = json_kind::string};
        }
        return after;
    }

    pass_state& state_;
    const char* const whole_;
    const char* const end_;
    const redaction_keys* const redact_;
    slot nested_ = slot::none;  ///< the field looked for inside the last top-level key's value
};

/// The ways through a pass that one set of marks gives.
struct pass_functions {
    const char* (*read_record)(pass_state&);
    const char* (*store_record)(pass_state&);
    const char* (*read_value)(pass_state&);
};

template <class Marks>
constexpr pass_functions functions_with() {
    return {
        .read_record = [](pass_state& state) { return record_pass<Marks, false>(state).record(); },
        .store_record = [](pass_state& state) { return record_pass<Marks, true>(state).record(); },
        .read_value = [](pass_state& state) { return record_pass<Marks, false>(state).any_value(); },
    };
}

#if defined(__x86_64__)
/// Only where the processor has AVX2.
extern const pass_functions avx2_functions;
#endif

}  // namespace livelogd::protocol
