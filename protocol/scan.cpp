// SPDX-License-Identifier: MIT
//
// Two passes. The first is the verdict (validation.hpp). The second walks the bytes, which are known to be
// valid by then: it can be short because it need not check anything.
#include "protocol/scan.hpp"

#include "protocol/json_walk.hpp"
#include "protocol/text.hpp"
#include "protocol/validation.hpp"

#include <array>
#include <cstdint>

namespace livelogd::protocol {
namespace {

/// The places where a known field may stand. The ones that `record_fields` joins are kept apart.
enum class slot : std::uint8_t {
    timestamp,
    level,
    type,
    request_id,
    method,
    endpoint,
    status_code,
    duration_ms,
    error_type,
    exception_type_flat,
    exception_type_nested,
    error_dot_type_flat,
    error_dot_type_nested,
    response_error_type,
    none,
};

slot top_level_slot(std::string_view key) {
    using enum slot;
    switch (key.size()) {
        case 4:
            return key == "type" ? type : none;
        case 5:
            return key == "level" ? level : none;
        case 6:
            return key == "method" ? method : none;
        case 8:
            return key == "endpoint" ? endpoint : none;
        case 9:
            return key == "timestamp" ? timestamp : none;
        case 10:
            if (key == "request_id") return request_id;
            if (key == "error_type") return error_type;
            return key == "error.type" ? error_dot_type_flat : none;
        case 11:
            if (key == "status_code") return status_code;
            return key == "duration_ms" ? duration_ms : none;
        case 14:
            return key == "exception.type" ? exception_type_flat : none;
        default:
            return none;
    }
}

/// The field looked for in the object that a top-level key holds, if it is one of the three that matter.
slot nested_slot(std::string_view key) {
    using enum slot;
    switch (key.size()) {
        case 5:
            return key == "error" ? error_dot_type_nested : none;
        case 9:
            return key == "exception" ? exception_type_nested : none;
        case 13:
            return key == "response_body" ? response_error_type : none;
        default:
            return none;
    }
}

std::string_view nested_key(slot nested) {
    return nested == slot::response_error_type ? "error_type" : "type";
}

/// A value's place: offsets, because the output may move while it grows.
struct extent {
    std::size_t begin = 0;
    std::size_t size = 0;
    json_kind kind = json_kind::absent;
};

class extents {
  public:
    extent& operator[](slot field) { return places_[static_cast<std::size_t>(field)]; }
    const extent& operator[](slot field) const { return places_[static_cast<std::size_t>(field)]; }

    /// `bytes` were put in front of all that was found.
    void shift(std::size_t bytes) {
        for (extent& place : places_)
            if (place.kind != json_kind::absent) place.begin += bytes;
    }

  private:
    std::array<extent, static_cast<std::size_t>(slot::none)> places_{};
};

/// Walks one valid record. Without `writing` it only notes where the fields stand.
///
/// Bytes that are kept are not copied one by one: [run_, here) is the run of them that is still to be copied.
template <bool writing>
class walker {
  public:
    walker(std::string_view line, const redaction_keys* redact, std::string& out, std::string& key_buffer)
        : line_(line), end_(line.data() + line.size()), redact_(redact), out_(out), key_buffer_(key_buffer) {}

    /// `first`: the record's opening brace.
    void walk(const char* first) {
        run_ = first;
        const char* p = first;
        do {
            switch (*p) {
                case '"':
                    p = pass_string(p);
                    break;
                case '{':
                case '[':
                    ++depth_;
                    ++p;
                    break;
                case '}':
                case ']':
                    ++p;
                    --depth_;
                    if (depth_ == open_depth_) close(p);
                    break;
                case ' ':
                case '\t':
                case '\n':
                case '\r':
                    p = drop_blanks(p);
                    break;
                default:  // separators, digits, literals
                    ++p;
            }
        } while (depth_ != 0);
        flush(p);
    }

    extents found;

  private:
    [[nodiscard]] std::size_t place_of(const char* p) const {
        if constexpr (writing) return out_.size() + static_cast<std::size_t>(p - run_);
        return static_cast<std::size_t>(p - line_.data());
    }

    void flush(const char* until) {
        if constexpr (writing) out_.append(run_, static_cast<std::size_t>(until - run_));
        run_ = until;
    }

    const char* drop_blanks(const char* p) {
        if (!is_json_blank(*p)) return p;
        flush(p);
        while (is_json_blank(*p))
            ++p;
        run_ = p;
        return p;
    }

    /// Past the closing quote of the string that begins at `p`.
    const char* after_string(const char* p) {
        escaped_ = false;
        return after_json_string(p, end_, escaped_);
    }

    /// A string before a colon is a key, any other a value.
    const char* pass_string(const char* p) {
        const char* const close_quote = after_string(p) - 1;
        const bool escaped = escaped_;
        const char* const next = drop_blanks(close_quote + 1);
        if (*next != ':') return next;
        const char* const value = drop_blanks(next + 1);

        std::string_view key(p + 1, static_cast<std::size_t>(close_quote - p - 1));
        if (escaped) {
            key_buffer_.clear();
            append_unescaped(key_buffer_, key);
            key = key_buffer_;
        }
        const slot field = field_of(key);
        if constexpr (writing) {
            if (redact_ != nullptr && redact_->matches(key)) return redact(value, field);
        }
        return field == slot::none ? value : note(value, field);
    }

    slot field_of(std::string_view key) {
        if (depth_ == 1) {
            nested_ = nested_slot(key);
            // Of duplicate keys the last one counts, whatever it holds.
            if (nested_ != slot::none) found[nested_] = {};
            return top_level_slot(key);
        }
        // A key at depth 2 belongs to the value of the last top-level key.
        return depth_ == 2 && nested_ != slot::none && key == nested_key(nested_) ? nested_ : slot::none;
    }

    const char* redact(const char* value, slot field) {
        flush(value);
        if (field != slot::none) found[field] = {out_.size(), redacted_value.size(), json_kind::string};
        out_.append(redacted_value);
        run_ = after_json_value(value, end_);
        return run_;
    }

    const char* note(const char* value, slot field) {
        found[field] = {place_of(value), 0, kind_of(*value)};
        if (*value == '{' || *value == '[') {
            // Fields are only looked for above this value, so no second one can open before it closes.
            open_ = field;
            open_depth_ = depth_;
            return value;
        }
        const char* const after = after_json_value(value, end_);
        found[field].size = static_cast<std::size_t>(after - value);
        return after;
    }

    void close(const char* after) {
        found[open_].size = place_of(after) - found[open_].begin;
        open_depth_ = no_depth;
    }

    static constexpr std::size_t no_depth = static_cast<std::size_t>(-1);

    std::string_view line_;
    const char* end_;
    const redaction_keys* redact_;
    std::string& out_;
    std::string& key_buffer_;
    const char* run_ = nullptr;
    std::size_t depth_ = 0;
    slot nested_ = slot::none;  ///< the field looked for inside the last top-level key's value
    slot open_ = slot::none;    ///< a field whose value is an object or array that has not ended yet
    std::size_t open_depth_ = no_depth;
    bool escaped_ = false;  ///< whether the last string had a backslash
};

record_fields fields_in(std::string_view bytes, const extents& found) {
    using enum slot;
    const auto token = [&](slot field) {
        const extent& place = found[field];
        return json_token{.kind = place.kind, .text = bytes.substr(place.begin, place.size)};
    };
    const auto first_of = [&](slot flat, slot nested) {
        return token(found[flat].kind != json_kind::absent ? flat : nested);
    };
    return {
        .timestamp = token(timestamp),
        .level = token(level),
        .type = token(type),
        .request_id = token(request_id),
        .method = token(method),
        .endpoint = token(endpoint),
        .status_code = token(status_code),
        .duration_ms = token(duration_ms),
        .error_type = token(error_type),
        .exception_type = first_of(exception_type_flat, exception_type_nested),
        .error_dot_type = first_of(error_dot_type_flat, error_dot_type_nested),
        .response_error_type = token(response_error_type),
    };
}

/// Puts a timestamp in front of the record that begins at `begin`, and moves what was found behind it.
void insert_timestamp(std::string& out, std::size_t begin, std::string_view characters, extents& found) {
    constexpr std::string_view member = "\"timestamp\":\"";
    const std::string_view after = out[begin + 1] == '}' ? "\"" : "\",";
    const std::size_t size = member.size() + characters.size() + after.size();
    out.insert(begin + 1, size, ' ');
    char* p = out.data() + begin + 1;
    for (const std::string_view part : {member, characters, after})
        p += part.copy(p, part.size());
    found.shift(size);
    found[slot::timestamp] = {begin + member.size(), characters.size() + 2, json_kind::string};
}

}  // namespace

struct record_scanner::state {
    /// A longer key is not worth the memory after its record.
    static constexpr std::size_t kept_key_capacity = 4096;

    void forget() {
        if (key.capacity() > kept_key_capacity) std::string().swap(key);
    }

    record_validator validator;
    std::string key;     ///< a key with its escapes decoded
    std::string unused;  ///< stands for the output where there is none
};

record_scanner::record_scanner() : state_(std::make_unique<state>()) {}
record_scanner::~record_scanner() = default;
record_scanner::record_scanner(record_scanner&&) noexcept = default;
record_scanner& record_scanner::operator=(record_scanner&&) noexcept = default;

std::optional<scan_error> record_scanner::scan_record(std::string_view line, record_fields& fields) {
    fields = {};
    std::size_t first = 0;
    if (auto error = state_->validator.validate(line, first)) return error;
    walker<false> pass(line, nullptr, state_->unused, state_->key);
    pass.walk(line.data() + first);
    state_->forget();
    fields = fields_in(line, pass.found);
    return std::nullopt;
}

std::optional<scan_error> record_scanner::scan_record(std::string_view line, const intake_rules& rules,
                                                      std::string& out, record_fields& fields) {
    fields = {};
    std::size_t first = 0;
    if (auto error = state_->validator.validate(line, first)) return error;
    const std::size_t begin = out.size();
    out.reserve(begin + line.size() + rules.timestamp.size());
    walker<true> pass(line, rules.redact, out, state_->key);
    pass.walk(line.data() + first);
    if (pass.found[slot::timestamp].kind == json_kind::absent)
        insert_timestamp(out, begin, rules.timestamp, pass.found);
    state_->forget();
    fields = fields_in(out, pass.found);
    return std::nullopt;
}

}  // namespace livelogd::protocol
