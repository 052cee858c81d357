// SPDX-License-Identifier: MIT
// All that the records of a window add up to.
#pragma once

#include "daemon/filter/record_filter.hpp"
#include "daemon/query/llm_totals.hpp"
#include "daemon/query/open_requests.hpp"
#include "daemon/query/stats.hpp"
#include "daemon/query/stats_accumulator.hpp"
#include "daemon/query/timeline.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::query {

/// A record, as a scan from the beginning of the log meets it.
struct scanned_record {
    protocol::record_id id = 0;
    std::optional<std::int64_t> time;  ///< microseconds since 1970
    filter::record_view view;
    const protocol::record_fields& fields;
};

/// Takes every record of the log, in order: also one outside the window may be the request of a response in
/// it, or the response of a request. One thread at a time.
class stats_sums {
  public:
    /// `request` must outlive the sums.
    explicit stats_sums(const stats_request& request);

    void add(const scanned_record& record);

    /// The JSON object of the answer, with a LF.
    [[nodiscard]] std::string text(const base::time_zone& zone) const;

  private:
    [[nodiscard]] bool counts(const scanned_record& record) const;
    void open_request_of(const scanned_record& record, bool counted);
    void add_answer(const scanned_record& record, bool is_response, std::string_view asked_model,
                    timeline::part* part);

    const stats_request& request_;
    std::int64_t begin_us_;
    name_budget names_;
    stats_accumulator records_;
    llm_totals models_;
    open_requests open_;
    std::optional<timeline> timeline_;
    std::vector<std::pair<std::string_view, name_counts>> facets_;
};

}  // namespace livelogd::query
