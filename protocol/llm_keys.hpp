// SPDX-License-Identifier: MIT
// The keys that a set of rows looks for, and which row looks where: made from the table at compile time.
// A part of llm_fields.
#pragma once

#include "protocol/llm_spellings.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace livelogd::protocol::llm {

/// A place for the value of one key of an object, or of an object in it.
using slot = std::uint8_t;
inline constexpr slot no_slot = 0xFF;

/// These have the same slots whatever the rows are.
inline constexpr std::array<std::string_view, 6> fixed_paths = {
    "response_body", "attributes", "message", "response", "duration_ms", "request_body"};
inline constexpr slot response_body_slot = 0;
inline constexpr slot attributes_slot = 1;
inline constexpr slot message_slot = 2;
inline constexpr slot response_slot = 3;
inline constexpr slot duration_slot = 4;
inline constexpr slot request_body_slot = 5;

class key_index {
  public:
    /// Room for every path of the table: with less this does not compile.
    static constexpr std::size_t capacity = 80;

    struct key {
        std::size_t part = 0;
        std::string_view name;
        bool first_element = false;  ///< of the array that is its value, not the value itself
    };

    /// An object whose keys are looked at.
    struct part {
        static constexpr std::size_t longest_name = 40;

        std::string_view path;
        slot at = no_slot;  ///< where the object is found; no_slot: it is the one that is read
        /// By length of name: the first of its keys in the order of the index that is not shorter.
        std::array<std::uint8_t, longest_name + 2> begin{};
    };

    constexpr explicit key_index(std::span<const spelling> rows) {
        add_part("");
        for (const std::string_view path : fixed_paths)
            add(path);
        for (const spelling& row : rows) {
            add(row.path);
            for (const std::string_view path : row.more.paths)
                if (path != none) add(path);
        }
        put_in_order();
    }

    /// The object that is read comes first, and each that is in another one after that.
    [[nodiscard]] constexpr std::span<const part> parts() const { return {parts_.data(), part_count_}; }

    /// The slot of a key by its name, with escapes decoded; no_slot for keys that tell nothing.
    [[nodiscard]] constexpr slot find(const part& in, std::string_view name) const {
        if (name.size() > part::longest_name) return no_slot;
        for (std::size_t i = in.begin[name.size()]; i < in.begin[name.size() + 1]; ++i)
            if (keys_[order_[i]].name == name) return order_[i];
        return no_slot;
    }

    [[nodiscard]] constexpr bool takes_first_element(slot at) const { return keys_[at].first_element; }

    /// The slot of a path of one of the rows, else no_slot.
    [[nodiscard]] constexpr slot at(std::string_view path) const {
        for (std::size_t i = 0; i < size_; ++i)
            if (paths_[i] == path) return static_cast<slot>(i);
        return no_slot;
    }

  private:
    constexpr std::size_t add_part(std::string_view path) {
        for (std::size_t i = 0; i < part_count_; ++i)
            if (parts_[i].path == path) return i;
        const slot at = path.empty() ? no_slot : add(path);
        parts_[part_count_].path = path;
        parts_[part_count_].at = at;
        return part_count_++;
    }

    constexpr slot add(std::string_view path) {
        if (const slot known = at(path); known != no_slot) return known;
        const std::size_t dot = path.starts_with("gen_ai.") ? std::string_view::npos : path.rfind('.');
        const bool nested = dot != std::string_view::npos;
        key added{.part = add_part(nested ? path.substr(0, dot) : std::string_view()),
                  .name = nested ? path.substr(dot + 1) : path};
        constexpr std::string_view first = "[0]";
        added.first_element = path.ends_with(first);
        if (added.first_element) added.name.remove_suffix(first.size());
        paths_[size_] = path;
        keys_[size_] = added;
        return static_cast<slot>(size_++);
    }

    /// By part, then by length: there are few names of one length, and most are none of them.
    constexpr void put_in_order() {
        for (std::size_t i = 0; i < size_; ++i)
            order_[i] = static_cast<slot>(i);
        std::sort(order_.begin(), order_.begin() + size_, [&](slot a, slot b) {
            return keys_[a].part != keys_[b].part ? keys_[a].part < keys_[b].part
                                                  : keys_[a].name.size() < keys_[b].name.size();
        });
        for (std::size_t p = 0; p < part_count_; ++p)
            for (std::size_t length = 0; length < parts_[p].begin.size(); ++length)
                parts_[p].begin[length] = static_cast<std::uint8_t>(std::count_if(
                    keys_.begin(), keys_.begin() + size_,
                    [&](const key& k) { return k.part != p ? k.part < p : k.name.size() < length; }));
    }

    std::array<std::string_view, capacity> paths_{};  ///< by slot
    std::array<key, capacity> keys_{};                ///< by slot
    std::array<slot, capacity> order_{};
    std::size_t size_ = 0;
    std::array<part, 16> parts_{};
    std::size_t part_count_ = 0;
};

/// A row with its paths resolved.
struct resolved_row {
    spelling row;
    std::size_t rank = 0;  ///< in the whole table: of the rows of one value the lower one is tried first
    std::array<slot, 3> more{no_slot, no_slot, no_slot};
};

/// A part of the table, ready to read with.
template <std::size_t rows_used>
struct table {
    key_index keys{std::span(spellings).first(rows_used)};
    std::array<resolved_row, rows_used> rows{};                 ///< by the slot of their path
    std::array<std::uint8_t, key_index::capacity + 1> begin{};  ///< by slot: of its rows

    constexpr table() {
        std::array<slot, rows_used> slots{};
        for (std::size_t rank = 0; rank < rows_used; ++rank)
            slots[rank] = keys.at(spellings[rank].path);
        std::size_t count = 0;
        for (std::size_t at = 0; at < key_index::capacity; ++at) {
            begin[at] = static_cast<std::uint8_t>(count);
            for (std::size_t rank = 0; rank < rows_used; ++rank)
                if (slots[rank] == at) rows[count++] = resolve(rank);
        }
        begin[key_index::capacity] = static_cast<std::uint8_t>(count);
    }

  private:
    [[nodiscard]] constexpr resolved_row resolve(std::size_t rank) const {
        resolved_row result{.row = spellings[rank], .rank = rank};
        for (std::size_t n = 0; n < result.more.size(); ++n)
            if (const std::string_view path = spellings[rank].more.paths[n]; path != none)
                result.more[n] = keys.at(path);
        return result;
    }
};

inline constexpr table<spellings.size()> whole_table;
inline constexpr table<model_rows> model_table;

}  // namespace livelogd::protocol::llm
