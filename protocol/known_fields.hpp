// SPDX-License-Identifier: MIT
// Which keys of a record name its known fields, and where their values stand. A part of scan_record().
#pragma once

#include "protocol/json_token.hpp"
#include "protocol/llm_spellings.hpp"
#include "protocol/scan.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

namespace livelogd::protocol {

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
    error_dot_type_flat,
    exception_type_nested,
    error_dot_type_nested,
    response_error_type,
    request_body,
    response_body,
    attributes,
    none,
};

/// Whether `key`, which has as many characters, is `name`: one comparison or two, no call.
template <std::size_t size>
inline bool is_same(std::string_view key, const char (&name)[size]) {
    return std::memcmp(key.data(), name, size - 1) == 0;
}

/// The field that a key of the record itself names. For the three keys in whose objects one is looked for:
/// the field in there.
[[gnu::always_inline]] inline slot top_level_slot(std::string_view key) {
    using enum slot;
    switch (key.size()) {
        case 4:
            return is_same(key, "type") ? type : none;
        case 5:
            if (is_same(key, "level")) return level;
            return is_same(key, "error") ? error_dot_type_nested : none;
        case 6:
            return is_same(key, "method") ? method : none;
        case 8:
            return is_same(key, "endpoint") ? endpoint : none;
        case 9:
            if (is_same(key, "timestamp")) return timestamp;
            return is_same(key, "exception") ? exception_type_nested : none;
        case 10:
            if (is_same(key, "attributes")) return attributes;
            if (is_same(key, "request_id")) return request_id;
            if (is_same(key, "error_type")) return error_type;
            return is_same(key, "error.type") ? error_dot_type_flat : none;
        case 11:
            if (is_same(key, "status_code")) return status_code;
            return is_same(key, "duration_ms") ? duration_ms : none;
        case 12:
            return is_same(key, "request_body") ? request_body : none;
        case 13:
            return is_same(key, "response_body") ? response_error_type : none;
        case 14:
            return is_same(key, "exception.type") ? exception_type_flat : none;
        default:
            return none;
    }
}

constexpr bool is_nested(slot field) {
    return field >= slot::exception_type_nested && field <= slot::response_error_type;
}

/// Sorts most keys out before they are compared with names, and none that is one of the names.
class key_filter {
  public:
    /// The keys of docs/llm-fields.md that are no known fields, and `others`.
    constexpr explicit key_filter(std::initializer_list<std::string_view> others) {
        for (const llm::spelling& row : llm::spellings) {
            add_first_key(row.path);
            for (const std::string_view path : row.more.paths)
                add_first_key(path);
        }
        for (const std::string_view name : others)
            add(name);
    }

    [[nodiscard]] bool may_hold(std::string_view key) const {
        return !key.empty() && (lengths_[ends_of(key)] & length_bit(key.size())) != 0;
    }

  private:
    static constexpr std::uint64_t length_bit(std::size_t length) {
        return std::uint64_t{1} << (length < 63 ? length : 63);
    }

    constexpr void add(std::string_view name) {
        if (name.empty()) return;
        lengths_[ends_of(name)] |= length_bit(name.size());
    }

    /// The names of OpenTelemetry have dots themselves.
    constexpr void add_first_key(std::string_view path) {
        if (!path.starts_with("gen_ai.")) path = path.substr(0, path.find('.'));
        if (path.ends_with("[0]")) path.remove_suffix(3);
        if (path != "duration_ms" && path != "request_body") add(path);
    }

    /// One number for the first and the last character; few names share one.
    static constexpr std::size_t ends_of(std::string_view name) {
        return (static_cast<unsigned char>(name.front()) * 7U + static_cast<unsigned char>(name.back()))
               % 256;
    }

    std::array<std::uint64_t, 256> lengths_{};  ///< by ends: which lengths occur
};

inline constexpr key_filter llm_keys({});
inline constexpr key_filter all_keys({"timestamp", "level", "type", "request_id", "method", "endpoint",
                                      "status_code", "duration_ms", "error_type", "exception",
                                      "exception.type", "error", "error.type", "request_body",
                                      "response_body", "attributes"});

inline std::string_view nested_key(slot nested) {
    return nested == slot::response_error_type ? "error_type" : "type";
}

/// Where the fields of one record of less than 4 GiB stand, counted from its opening brace: it may move while
/// it is written.
class found_fields {
  public:
    struct extent {
        std::uint32_t begin;
        std::uint32_t size;
        json_kind kind;
    };

    [[nodiscard]] bool has(slot field) const { return (present_ & bit(field)) != 0; }

    void set(slot field, const extent& place) {
        places_[static_cast<std::size_t>(field)] = place;
        present_ |= bit(field);
    }
    bool may_tell_llm_itself = false;

    void unset(slot field) { present_ &= ~bit(field); }

    /// `bytes` were put in front of all that was found.
    void shift(std::uint32_t bytes) {
        for_each([&](slot field) { places_[static_cast<std::size_t>(field)].begin += bytes; });
    }

    /// `fields`: nothing in them yet. `record`: from its opening brace.
    void put_into(record_fields& fields, const char* record) const {
        fields.may_tell_llm_itself = may_tell_llm_itself;
        for_each([&](slot field) {
            const extent& place = places_[static_cast<std::size_t>(field)];
            json_token& token = token_of(fields, field);
            // Flat keys come before nested ones, here and in what they are worth.
            if (token.kind == json_kind::absent)
                token = {.kind = place.kind, .text = std::string_view(record + place.begin, place.size)};
        });
    }

  private:
    static constexpr std::uint32_t bit(slot field) { return 1U << static_cast<unsigned>(field); }

    template <class Take>
    void for_each(Take&& take) const {
        for (std::uint32_t left = present_; left != 0; left &= left - 1)
            take(static_cast<slot>(std::countr_zero(left)));
    }

    static json_token& token_of(record_fields& fields, slot field) {
        constexpr std::array<json_token record_fields::*, slots> members{
            &record_fields::timestamp,      &record_fields::level,
            &record_fields::type,           &record_fields::request_id,
            &record_fields::method,         &record_fields::endpoint,
            &record_fields::status_code,    &record_fields::duration_ms,
            &record_fields::error_type,     &record_fields::exception_type,
            &record_fields::error_dot_type, &record_fields::exception_type,
            &record_fields::error_dot_type, &record_fields::response_error_type,
            &record_fields::request_body,   &record_fields::response_body,
            &record_fields::attributes,
        };
        return fields.*members[static_cast<std::size_t>(field)];
    }

    static constexpr auto slots = static_cast<std::size_t>(slot::none);
    std::array<extent, slots> places_;  ///< of those that are present; the others are not set
    std::uint32_t present_ = 0;
};

}  // namespace livelogd::protocol
