// SPDX-License-Identifier: MIT
// What records add up to. Sums of one stretch of the log can be written, and merged into those of the
// stretch before: so a stretch that has been added up once need not be read again.
#pragma once

#include "daemon/filter/record_view.hpp"
#include "daemon/summary/byte_codec.hpp"
#include "daemon/summary/duration_histogram.hpp"
#include "daemon/summary/llm_totals.hpp"
#include "daemon/summary/name_counts.hpp"
#include "daemon/summary/open_requests.hpp"
#include "protocol/level.hpp"
#include "protocol/llm_fields.hpp"
#include "protocol/record_id.hpp"
#include "protocol/scan.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::summary {

/// A record, as a scan in the order of the log meets it.
struct scanned_record {
    protocol::record_id id = 0;
    std::optional<std::int64_t> time;  ///< microseconds since 1970
    filter::record_view view;
    const protocol::record_fields& fields;
};

/// `duration_ms` in whole microseconds, so that the order of adding cannot change a sum. Nothing if it does
/// not count: not a number, not finite, or below zero. No more than 9.2e18 (292,000 years).
std::optional<std::uint64_t> duration_us(const protocol::json_token& duration_ms);

/// What is also told for parts of a window.
struct overview {
    std::array<std::uint64_t, protocol::level_count> levels{};  ///< records, by protocol::level
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    duration_histogram durations;                         ///< of responses, microseconds
    std::map<std::string, llm_sums, std::less<>> models;  ///< by name

    [[nodiscard]] std::uint64_t records() const;
    void merge(const overview& other);
    /// Adds the overview of sums that were written by record_sums::write(). Throws damaged_summary.
    void merge_written(std::string_view written);
};

/// Sums by name, but for those of models.
struct named_sums {
    explicit named_sums(name_budget& names)
        : request_endpoints(names),
          request_methods(names),
          response_status_codes(names),
          error_types(names),
          error_endpoints(names),
          error_status_codes(names) {}

    name_counts request_endpoints;
    name_counts request_methods;
    name_counts response_status_codes;
    name_counts error_types;
    name_counts error_endpoints;
    name_counts error_status_codes;
};

/// An answer of a model that has been counted.
struct counted_answer {
    std::optional<std::int64_t> time;  ///< of its record
    std::string_view model;
    const protocol::llm_fields& told;
};

/// The sums of a stretch of the log: of its counted records, and of the pairs of all. One thread at a time.
///
/// A response belongs to the nearest earlier request of its request_id that has none yet, and that may be in
/// an earlier stretch. So a stretch keeps the responses whose request it does not hold, and the requests that
/// are open at its end: merging lets the former take what is open before, and puts the latter on top. The
/// result is that of going through both stretches record by record.
class record_sums {
  public:
    enum class start : std::uint8_t {
        of_log,      ///< no earlier stretch will come: what is not known by now stays unknown
        of_stretch,  ///< to be merged into the sums of an earlier one
    };
    explicit record_sums(start where);

    using answer_listener = std::function<void(const counted_answer&)>;
    /// Called for every answer that is counted one by one; what merge() adds as a sum is not told.
    void set_answer_listener(answer_listener listener) { on_answer_ = std::move(listener); }

    /// The next record. Also one that does not count may be the request of a response that does.
    void add(const scanned_record& record, bool counts);

    /// Appends what merge() reads. Only of a stretch.
    void write(std::string& out) const;

    /// The next stretch, as written; `counts`: its counted records count here too. Throws damaged_summary,
    /// and then the sums are of no use any more.
    void merge(std::string_view written, bool counts);

    [[nodiscard]] const overview& all() const { return overview_; }  ///< without its models
    [[nodiscard]] const named_sums& names() const { return *named_; }
    [[nodiscard]] const llm_totals& models() const { return models_; }
    [[nodiscard]] const open_requests& open() const { return open_; }
    /// Counted requests that were given up, with too many newer ones open.
    [[nodiscard]] std::uint64_t given_up() const { return given_up_; }
    [[nodiscard]] wide_count duration_sum_us() const { return duration_sum_us_; }

    /// Some names have found no room: what is shown of them depends on the order of adding.
    [[nodiscard]] bool names_left_out() const { return names_->exhausted(); }

  private:
    /// What a record tells of an answer.
    struct answer {
        std::optional<std::int64_t> time;
        protocol::llm_fields told;
        bool is_response = false;
        bool error = false;
        std::optional<std::uint64_t> duration_us;
    };
    /// A response whose request is in an earlier stretch, if anywhere.
    struct early_response {
        std::string request_id;  ///< its characters
        /// Most requests of this stretch that were open at a time since the early response before: so many
        /// fewer of earlier stretches can still have been.
        std::size_t open_before = 0;
        std::optional<answer> without_model;  ///< counted, and only the request can tell its model
    };

    void add_request(const scanned_record& record, bool counts);
    void add_sums(const scanned_record& record, bool is_request, bool is_response);
    void add_error(const protocol::record_fields& fields);
    void add_answer(const answer& told, std::string_view asked_model);
    /// Takes a response to its request: the model that it asked for; nothing if there is no request here.
    std::optional<std::string_view> asked_model_of(std::string_view request_id);
    /// Keeps a response for the merge with an earlier stretch.
    void add_early(std::string request_id, std::optional<answer> without_model);
    open_request& open_next(protocol::record_id id, std::string_view key);
    /// What is still to be counted of an early response, as it is written.
    enum class left_of_early : std::uint8_t {
        nothing,
        call,      ///< a call of the model that its request asked for, if any; nothing was measured
        measures,  ///< that, with numbers
    };
    static left_of_early what_is_left_of(const early_response& one);
    static answer read_answer(byte_reader& in, left_of_early what);
    void write_pairs(byte_writer& out) const;
    void merge_pairs(byte_reader in, bool counts);
    void merge_sums(byte_reader& in);

    start where_;
    std::unique_ptr<name_budget> names_;
    overview overview_;
    std::unique_ptr<named_sums> named_;
    llm_totals models_;
    wide_count duration_sum_us_ = 0;
    open_requests open_;
    std::uint64_t given_up_ = 0;
    std::size_t open_peak_ = 0;  ///< most open at a time since the last early response
    std::vector<early_response> early_;
    answer_listener on_answer_;
};

}  // namespace livelogd::summary
