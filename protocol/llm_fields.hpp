// SPDX-License-Identifier: MIT
// What a record says about a call of a model server: which model, how many tokens, how long each part took.
// docs/llm-fields.md defines where that is looked for, and what follows from it.
#pragma once

#include "protocol/scan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace livelogd::protocol {

/// What is not told is absent, never 0. Times are whole nanoseconds, at most 2^63 - 1.
struct llm_fields {
    std::string asked_model;     ///< empty: unknown
    std::string answered_model;  ///< empty: unknown

    std::optional<std::uint64_t> input_tokens;  ///< with those that came from a cache
    std::optional<std::uint64_t> cached_tokens;
    std::optional<std::uint64_t> output_tokens;
    std::optional<std::uint64_t> reasoning_tokens;
    std::optional<std::uint64_t> prefill_tokens;  ///< that were read in `prefill_ns`
    std::optional<std::uint64_t> decode_tokens;   ///< that were written in `decode_ns`

    std::optional<std::uint64_t> queue_ns;
    std::optional<std::uint64_t> load_ns;
    std::optional<std::uint64_t> prefill_ns;
    std::optional<std::uint64_t> decode_ns;
    std::optional<std::uint64_t> first_token_ns;

    std::string finish_reason;  ///< empty: unknown

    /// The model that answered, else the one that was asked for.
    [[nodiscard]] const std::string& model() const {
        return answered_model.empty() ? asked_model : answered_model;
    }

    /// Whether anything but the models and the finish reason is known.
    [[nodiscard]] bool has_measure() const;
};

/// `line`: a valid record (has been read through scan_record()).
llm_fields read_llm_fields(std::string_view line);
/// The same, quicker. `fields`: those that scan_record() has found in the line.
llm_fields read_llm_fields(std::string_view line, const record_fields& fields);

/// The two models alone: cheaper, for filters.
struct llm_models {
    std::string asked;     ///< empty: unknown
    std::string answered;  ///< empty: unknown
};

/// As read_llm_fields().
llm_models read_llm_models(std::string_view line);
llm_models read_llm_models(std::string_view line, const record_fields& fields);

}  // namespace livelogd::protocol
