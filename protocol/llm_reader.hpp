// SPDX-License-Identifier: MIT
// Finds the objects of a record in which docs/llm-fields.md looks, and reads the table's rows from them.
// A part of llm_fields.
#pragma once

#include "protocol/json_walk.hpp"
#include "protocol/llm_keys.hpp"
#include "protocol/scan.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace livelogd::protocol::llm {

/// What is told of a value, by the first row that fits in the first object where it does.
struct reading {
    std::size_t rank = 0;  ///< of the row
    json_token text;       ///< of texts: a string that is not empty
    double amount = 0;  ///< of the others: a finite number of at least 0. Times are whole ns, paces as told
    std::optional<double> tokens;  ///< that go with a time
};

/// The values of the known keys of one object, as spelled; of duplicate keys the last one.
class object_values {
  public:
    explicit object_values(const key_index& keys) : keys_(&keys) {}

    /// Looks once at each member of the object, and of those of its objects that have known keys.
    /// Of other kinds nothing is read.
    void read(const json_token& object);

    /// The same as if an object with these values had been read.
    void begin(std::initializer_list<std::pair<slot, json_token>> values,
               std::span<const few_members::member> others);

    [[nodiscard]] json_token operator[](slot at) const {
        if ((present_[at / 64] >> at % 64 & 1) == 0) return {};
        const place& found = places_[at];
        return {.kind = found.kind, .text = std::string_view(found.data, found.size)};
    }
    void set(slot at, const json_token& value);

    /// Those that have been set, each once.
    [[nodiscard]] std::span<const slot> slots() const { return {set_.data(), set_count_}; }

  private:
    /// A json_token that nobody sets before it is needed: there are many places, and few are.
    struct place {
        const char* data;
        std::size_t size;
        json_kind kind;
    };

    void clear();
    void read_part(const key_index::part& part, const json_token& object);
    void set_member(const key_index::part& part, std::string_view name, const json_token& value);
    void read_parts_within();

    const key_index* keys_;
    std::array<std::uint64_t, (key_index::capacity + 63) / 64> present_{};
    std::array<place, key_index::capacity> places_;  ///< of those that are present
    std::array<slot, key_index::capacity> set_;
    std::size_t set_count_ = 0;
    std::string decoded_;  ///< a key that is spelled with escapes
};

/// Reads one record with some of the table's rows.
class reader {
  public:
    template <std::size_t rows>
    explicit reader(const table<rows>& from)
        : keys_(from.keys), rows_(from.rows), rows_begin_(from.begin), record_(from.keys) {}

    /// `line`: a valid record, which must outlive this. One of the two is called, once.
    void read(std::string_view line);
    /// `fields`: those of the line.
    void read(std::string_view line, const record_fields& fields);

    [[nodiscard]] const std::optional<reading>& operator[](value of) const {
        return readings_[static_cast<std::size_t>(of)];
    }

  private:
    void read_all_objects();
    void read_body_or_bodies(const json_token& found);
    void read_text(std::string_view text);
    void read_body(const json_token& object);
    void read_inner(const json_token& object, scope kind);
    /// Objects must be considered from the last one to be tried to the first.
    void consider(const object_values& object, scope kind);

    const key_index& keys_;
    std::span<const resolved_row> rows_;
    std::span<const std::uint8_t> rows_begin_;
    object_values record_;
    std::optional<object_values> body_;
    std::optional<object_values> inner_;  ///< attributes, or an object in a body
    std::string text_;                    ///< a body that is a string, its escapes decoded
    std::array<std::optional<reading>, value_count> readings_;
};

}  // namespace livelogd::protocol::llm
