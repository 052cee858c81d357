// SPDX-License-Identifier: MIT
// All that the records of a window add up to.
#pragma once

#include "daemon/filter/record_filter.hpp"
#include "daemon/query/newest_durations.hpp"
#include "daemon/query/stats.hpp"
#include "daemon/query/timeline.hpp"
#include "daemon/summary/record_sums.hpp"
#include "daemon/summary/segment_summary.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::query {

/// The sums of consecutive records: of all that the log holds, or of a stretch that is to be appended to
/// them. Takes every record, in order: also one outside the window may be the request of a response in it, or
/// the response of a request. One thread at a time.
class stats_sums {
  public:
    /// `request` must outlive the sums.
    stats_sums(const stats_request& request, summary::record_sums::start where);
    stats_sums(stats_sums&&) = default;
    stats_sums& operator=(stats_sums&&) = delete;

    void add(const summary::scanned_record& record);

    /// The next stretch, which has been scanned for the same request.
    void append(stats_sums&& next);

    /// What the records of one stretch have to do with the window.
    enum class part_in : std::uint8_t {
        nothing,  ///< none counts
        all,      ///< all count, and belong to the same part of the timeline, if there is one
        some,     ///< that cannot be told for all together
    };
    [[nodiscard]] part_in relation(const summary::time_range& times) const;

    /// The next stretch, all or nothing of which counts, as record_sums has written its sums.
    void append_written(std::string_view written, const summary::time_range& times, bool counts);

    /// Its durations, if it counts: those of the pages [begin, end).
    void append_durations(summary::shared_summary pages, std::size_t begin, std::size_t end,
                          std::uint64_t count) {
        durations_.add(std::move(pages), begin, end, count);
    }

    /// Names have been left out: the answer is that of a scan in one go, or it is not the same each time.
    [[nodiscard]] bool names_left_out() const;

    /// The JSON object of the answer, with a LF. Blocks on the disk; throws as newest_durations does.
    [[nodiscard]] std::string text(const base::time_zone& zone) const;

  private:
    [[nodiscard]] bool counts(const summary::scanned_record& record) const;

    const stats_request& request_;
    std::int64_t begin_us_;
    std::unique_ptr<timeline> timeline_;  ///< null: not asked for. Stays where it is when the sums move
    summary::record_sums sums_;
    newest_durations durations_;
    bool names_left_out_ = false;  ///< of a stretch that has been appended
    std::unique_ptr<summary::name_budget> facet_names_;
    std::vector<std::pair<std::string_view, summary::name_counts>> facets_;
};

}  // namespace livelogd::query
