// SPDX-License-Identifier: MIT
// Which keys of a record name its known fields, and where their values stand. A part of scan_record().
#pragma once

#include "protocol/json_token.hpp"
#include "protocol/key_filter.hpp"
#include "protocol/llm_spellings.hpp"
#include "protocol/scan.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
    llm,  ///< a member of few_members
    none,
};

/// A key of a record, and the field that it names. For the three keys in whose objects one is looked for: the
/// field in there.
struct field_key {
    std::string_view name;
    slot field;
};

/// Finds a key among a few names of 4 to 16 characters with one comparison.
class field_keys {
  public:
    template <std::size_t count>
    constexpr explicit field_keys(const field_key (&keys)[count]) {
        while (!place(keys))
            factor_ = factor_ * 1'664'525 + 1'013'904'223;
    }

    /// The field that `key` names.
    [[nodiscard]] slot operator[](std::string_view key) const {
        if (key.empty()) return slot::none;
        const entry& only = entries_[place_of(key)];
        return only.size == key.size() && is_same(only.name.data(), key.data(), key.size()) ? only.field
                                                                                            : slot::none;
    }

  private:
    static constexpr std::size_t places = 64;  ///< as many as six bits tell apart
    struct entry {
        std::array<char, 16> name{};
        std::uint8_t size = 0;
        slot field = slot::none;
    };

    /// False if two of the keys would have one place.
    template <std::size_t count>
    constexpr bool place(const field_key (&keys)[count]) {
        entries_ = {};
        for (const field_key& key : keys) {
            entry& free = entries_[place_of(key.name)];
            if (free.size != 0) return false;
            for (std::size_t i = 0; i < key.name.size(); ++i)
                free.name[i] = key.name[i];
            free.size = static_cast<std::uint8_t>(key.name.size());
            free.field = key.field;
        }
        return true;
    }

    /// The middle, because `error_type` and `error.type` have equal ends.
    [[nodiscard]] constexpr std::size_t place_of(std::string_view key) const {
        const auto first = static_cast<unsigned char>(key.front());
        const auto middle = static_cast<unsigned char>(key[key.size() / 2]);
        const std::uint32_t all =
            first | std::uint32_t{middle} << 8 | static_cast<std::uint32_t>(key.size()) << 16;
        return all * factor_ >> 26;
    }

    /// Two words that overlap are all of the bytes.
    static bool is_same(const char* a, const char* b, std::size_t size) {
        const auto same_words = [&]<class Word>(Word left) {
            Word right = 0;
            std::memcpy(&left, a, sizeof left);
            std::memcpy(&right, b, sizeof right);
            Word difference = left ^ right;
            std::memcpy(&left, a + size - sizeof left, sizeof left);
            std::memcpy(&right, b + size - sizeof right, sizeof right);
            difference |= left ^ right;
            return difference == 0;
        };
        return size >= sizeof(std::uint64_t) ? same_words(std::uint64_t{}) : same_words(std::uint32_t{});
    }

    std::uint32_t factor_ = 1;
    std::array<entry, places> entries_{};
};

/// Those of all fields.
inline constexpr field_keys record_keys({
    {"timestamp", slot::timestamp},
    {"level", slot::level},
    {"type", slot::type},
    {"request_id", slot::request_id},
    {"method", slot::method},
    {"endpoint", slot::endpoint},
    {"status_code", slot::status_code},
    {"duration_ms", slot::duration_ms},
    {"error_type", slot::error_type},
    {"exception", slot::exception_type_nested},
    {"exception.type", slot::exception_type_flat},
    {"error", slot::error_dot_type_nested},
    {"error.type", slot::error_dot_type_flat},
    {"request_body", slot::request_body},
    {"response_body", slot::response_error_type},
    {"attributes", slot::attributes},
});

/// What ingest asks for.
inline constexpr field_keys digest_keys({
    {"timestamp", slot::timestamp},
    {"level", slot::level},
    {"type", slot::type},
    {"status_code", slot::status_code},
});

constexpr bool is_nested(slot field) {
    return field >= slot::exception_type_nested && field <= slot::response_error_type;
}

/// Holds the keys of docs/llm-fields.md that are no known fields.
inline constexpr key_filter llm_keys = [] {
    key_filter keys;
    // The names of OpenTelemetry have dots themselves.
    const auto add_first_key = [&keys](std::string_view path) {
        if (!path.starts_with("gen_ai.")) path = path.substr(0, path.find('.'));
        if (path.ends_with("[0]")) path.remove_suffix(3);
        if (path != "duration_ms" && path != "request_body") keys.add(path);
    };
    for (const llm::spelling& row : llm::spellings) {
        add_first_key(row.path);
        for (const std::string_view path : row.more.paths)
            add_first_key(path);
    }
    return keys;
}();

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
    void unset(slot field) { present_ &= ~bit(field); }

    /// The value of a field; `record`: from where its places are counted.
    [[nodiscard]] json_token token(slot field, const char* record) const {
        if (!has(field)) return {};
        const extent& place = places_[static_cast<std::size_t>(field)];
        return {.kind = place.kind, .text = std::string_view(record + place.begin, place.size)};
    }

    void put_into(digest_fields& fields, const char* record) const {
        fields.level = token(slot::level, record);
        fields.type = token(slot::type, record);
        fields.status_code = token(slot::status_code, record);
    }

    void put_into(record_fields& fields, const char* record) const {
        const auto either = [&](slot flat, slot nested) { return token(has(flat) ? flat : nested, record); };
        put_into(static_cast<digest_fields&>(fields), record);
        fields.timestamp = token(slot::timestamp, record);
        fields.request_id = token(slot::request_id, record);
        fields.method = token(slot::method, record);
        fields.endpoint = token(slot::endpoint, record);
        fields.duration_ms = token(slot::duration_ms, record);
        fields.error_type = token(slot::error_type, record);
        fields.exception_type = either(slot::exception_type_flat, slot::exception_type_nested);
        fields.error_dot_type = either(slot::error_dot_type_flat, slot::error_dot_type_nested);
        fields.response_error_type = token(slot::response_error_type, record);
        fields.request_body = token(slot::request_body, record);
        fields.response_body = token(slot::response_body, record);
        fields.attributes = token(slot::attributes, record);
    }

  private:
    static constexpr std::uint32_t bit(slot field) { return 1U << static_cast<unsigned>(field); }

    static constexpr auto slots = static_cast<std::size_t>(slot::llm);
    std::array<extent, slots> places_;  ///< of those that are present; the others are not set
    std::uint32_t present_ = 0;
};

}  // namespace livelogd::protocol
