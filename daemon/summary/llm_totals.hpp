// SPDX-License-Identifier: MIT
// What the answers of models add up to.
#pragma once

#include "daemon/summary/byte_codec.hpp"
#include "daemon/summary/duration_histogram.hpp"
#include "daemon/summary/name_counts.hpp"
#include "protocol/llm_fields.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace livelogd::summary {

/// A sum of numbers that not every record tells: unknown until one does.
class known_sum {
  public:
    void add(std::optional<std::uint64_t> value) {
        if (!value) return;
        const std::uint64_t before = sum_.value_or(0);
        constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
        // Only absurd records come to the end of the range: the sum stays there.
        sum_ = *value > most - before ? most : before + *value;
    }
    void merge(const known_sum& other) { add(other.sum_); }
    void write(byte_writer& out) const { out.optional_number(sum_); }
    void merge(byte_reader& in) { add(in.optional_number()); }
    [[nodiscard]] std::optional<std::uint64_t> value() const { return sum_; }

  private:
    std::optional<std::uint64_t> sum_;
};

/// Fewer say nothing about decoding: the first token is there when the prompt has been read.
inline constexpr std::uint64_t least_decoded_tokens = 2;

/// Tokens and the time they took, of the answers that tell both.
struct token_speed {
    wide_count tokens = 0;
    wide_count ns = 0;

    void add(std::optional<std::uint64_t> more_tokens, std::optional<std::uint64_t> more_ns,
             std::uint64_t least_tokens);
    void merge(const token_speed& other);
    void write(byte_writer& out) const;
    void merge(byte_reader& in);
};

/// The sums that are also told for parts of a window.
struct llm_sums {
    std::uint64_t requests = 0;
    known_sum input_tokens;
    known_sum output_tokens;
    token_speed prefill;
    token_speed decode;

    void add(const protocol::llm_fields& told);
    void merge(const llm_sums& other);
    void write(byte_writer& out) const;
    void merge(byte_reader& in);
};

/// All that is known of one model.
struct model_totals {
    llm_sums sums;
    std::uint64_t errors = 0;
    std::uint64_t cold_starts = 0;
    known_sum cached_tokens;
    known_sum reasoning_tokens;
    duration_histogram queue;  ///< these in microseconds
    duration_histogram load;
    duration_histogram prefill_time;
    duration_histogram decode_time;
    duration_histogram first_token;
    duration_histogram duration;

    /// `duration_us`: of a response that tells it.
    void add(const protocol::llm_fields& told, bool error, std::optional<std::uint64_t> duration_us);
    void merge(const model_totals& other);
    /// All but `sums`.
    void write_rest(byte_writer& out) const;
    void merge_rest(byte_reader& in);
};

/// Models by name, each with a number from 0.
class llm_totals {
  public:
    static constexpr std::string_view unknown_name = "(unknown)";

    /// `budget` must outlive the totals.
    explicit llm_totals(name_budget& budget) : budget_(budget) {}

    /// The number of the model of this name; the same for all that the budget has no room for.
    std::size_t number_of(std::string_view model);

    [[nodiscard]] model_totals& operator[](std::size_t number) { return models_[number].totals; }
    [[nodiscard]] const std::string& name(std::size_t number) const { return models_[number].name; }

    struct entry {
        std::string name;
        model_totals totals;
    };
    /// In the order of their numbers.
    [[nodiscard]] const std::vector<entry>& all() const { return models_; }

  private:
    name_budget& budget_;
    std::vector<entry> models_;
    std::unordered_map<std::string, std::size_t> numbers_;
};

}  // namespace livelogd::summary
