// SPDX-License-Identifier: MIT
// Finds the objects of a record in which docs/llm-fields.md looks, and reads the table's rows from them.
// A part of llm_fields.
#pragma once

#include "protocol/json_walk.hpp"
#include "protocol/llm_spellings.hpp"
#include "protocol/validation.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace livelogd::protocol::llm {

/// What one row says in the first object that holds a fitting value for it.
struct reading {
    json_token text;    ///< of rows that are texts: a string that is not empty
    double amount = 0;  ///< of the others: a finite number of at least 0. Times are whole ns; seconds per
                        ///< token and tokens per second (above 0) are as told
    std::optional<double> tokens;  ///< that go with a time
};

/// The values of the known keys of one object, as spelled; of duplicate keys the last one.
class object_values {
  public:
    explicit object_values(const key_index& keys) : keys_(keys) {}

    /// Looks once at each member of the object, and of those of its objects that have known keys.
    void read(const json_token& object);

    [[nodiscard]] const json_token& operator[](slot at) const { return values_[at]; }
    void set(slot at, const json_token& value);
    [[nodiscard]] bool empty() const { return empty_; }

  private:
    void read_part(const key_index::part& part, const json_token& object);

    const key_index& keys_;
    std::array<json_token, key_index::capacity> values_{};
    bool empty_ = true;
    std::string decoded_;  ///< a key that is spelled with escapes
};

/// Reads one record with some of the table's rows.
class reader {
  public:
    template <std::size_t rows>
    explicit reader(const table<rows>& from) : reader(from.keys, from.rows) {}

    /// `line`: a valid record, which must outlive this.
    void read(std::string_view line);

    /// What the table's row `row` says.
    [[nodiscard]] const std::optional<reading>& operator[](std::size_t row) const { return readings_[row]; }

  private:
    reader(const key_index& keys, std::span<const resolved> rows);

    void read_body_or_bodies(const json_token& found);
    void read_text(std::string_view text);
    void read_body(const json_token& object);
    void read_inner(const json_token& object, scope kind);
    /// Objects must be considered from the last one to be tried to the first.
    void consider(const object_values& object, scope kind);

    struct container_slots {
        slot response_body, attributes, message, response, duration_ms;
    };

    const key_index& keys_;
    std::span<const resolved> rows_;
    container_slots at_;
    object_values record_;
    object_values body_;
    object_values inner_;
    std::string text_;  ///< a body that is a string, its escapes decoded
    std::optional<record_validator> validator_;
    std::array<std::optional<reading>, spellings.size()> readings_;
};

}  // namespace livelogd::protocol::llm
