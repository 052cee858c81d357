// SPDX-License-Identifier: MIT
//
// The log is cut into pieces: whole segments and pages whose sums are known and either count whole or not at
// all, and stretches that have to be read. Pieces are worked on side by side, and put together in order.
#include "daemon/query/stats.hpp"

#include "daemon/query/log_changed.hpp"
#include "daemon/query/stats_sums.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "daemon/summary/stretch_scan.hpp"

#include <optional>
#include <utility>

namespace livelogd::query {

using summary::record_sums;
using summary::shared_summary;

namespace {

/// Consecutive records of one segment.
struct piece {
    std::size_t segment = 0;
    std::uint64_t begin = 0;  ///< these two in bytes
    std::uint64_t end = 0;
    std::uint64_t first_line = 0;  ///< in the segment

    // The rest only if its sums are known.
    shared_summary known = nullptr;
    std::size_t first_page = 0;
    std::size_t end_page = 0;
    bool whole = false;  ///< it is the sum of all its pages that is known
    bool counts = false;
    summary::time_range times = {};
    std::uint64_t durations = 0;
};

/// What has become of a piece: either.
struct piece_sums {
    std::optional<stats_sums> scanned;
    std::string written;  ///< of a page
};

class stats_work {
  public:
    stats_work(const storage::log_snapshot& snapshot, const stats_request& request,
               const base::time_zone& zone, const std::stop_token& stop, summary::summaries* summaries)
        : snapshot_(snapshot),
          request_(request),
          zone_(zone),
          stop_(stop),
          summaries_(can_use_summaries(request) ? summaries : nullptr),
          all_(request, record_sums::start::of_log) {
        for (std::size_t i = 0; i < snapshot.segment_count(); ++i)
            cut(i);
    }

    stats_sums& run(const helping_hands& hands) {
        std::size_t next = 0;
        in_order<piece_sums>(
            pieces_.size(), hands, [this](std::size_t i) { return sums_of(pieces_[i]); },
            [&](piece_sums made) { append(pieces_[next++], std::move(made)); });
        return all_;
    }

  private:
    /// Facets and filters ask for more than is written.
    static bool can_use_summaries(const stats_request& request) {
        return request.filter.asks_only_times() && request.facets.empty();
    }

    void cut(std::size_t i) {
        const storage::segment_info& segment = snapshot_.segment(i);
        if (segment.bytes == 0) return;
        const auto known = summaries_ != nullptr ? summaries_->of(snapshot_, i) : nullptr;
        if (!known) {
            pieces_.push_back({.segment = i, .begin = 0, .end = segment.bytes, .first_line = 0});
            return;
        }
        const auto relation = all_.relation(known->times());
        if (!known->whole().empty() && relation != stats_sums::part_in::some) {
            pieces_.push_back({.segment = i,
                               .begin = 0,
                               .end = segment.bytes,
                               .known = known,
                               .first_page = 0,
                               .end_page = known->page_count(),
                               .whole = true,
                               .counts = relation == stats_sums::part_in::all,
                               .times = known->times(),
                               .durations = known->durations()});
            return;
        }
        cut_pages(i, known);
    }

    void cut_pages(std::size_t i, const shared_summary& known) {
        // A summary of the segment that grows may already know more than the snapshot shows.
        const std::uint64_t end = snapshot_.segment(i).bytes;
        piece rest{.segment = i};
        const auto pages = known->pages();
        for (std::size_t number = 0; number < pages.size(); ++number) {
            const summary::page& page = pages[number];
            if (page.end > end) break;
            const auto relation = all_.relation(page.times);
            if (relation != stats_sums::part_in::some) {
                pieces_.push_back({.segment = i,
                                   .begin = page.begin,
                                   .end = page.end,
                                   .first_line = page.first_line,
                                   .known = known,
                                   .first_page = number,
                                   .end_page = number + 1,
                                   .counts = relation == stats_sums::part_in::all,
                                   .times = page.times,
                                   .durations = page.durations});
            } else {
                pieces_.push_back(
                    {.segment = i, .begin = page.begin, .end = page.end, .first_line = page.first_line});
            }
            rest.begin = page.end;
            rest.first_line = page.first_line + page.lines;
        }
        rest.end = end;
        if (rest.begin < end) pieces_.push_back(rest);
    }

    /// On any of the threads.
    piece_sums sums_of(const piece& one) const {
        piece_sums made;
        if (one.whole) return made;
        if (one.known) {
            try {
                made.written = one.known->part(one.first_page, summary::page_part::sums);
                return made;
            } catch (const summary::damaged_summary&) {
                // What is not there any more is read again.
                summaries_->forget(snapshot_.segment(one.segment).first_id);
            }
        }
        made.scanned.emplace(request_, record_sums::start::of_stretch);
        scan(one, *made.scanned);
        return made;
    }

    void scan(const piece& one, stats_sums& sums) const {
        const storage::segment_info& segment = snapshot_.segment(one.segment);
        const auto opened = storage::open_segment(snapshot_, one.segment);
        if (!opened) return;
        const summary::stretch range{.from = opened.get(),
                                     .segment_bytes = segment.bytes,
                                     .begin = one.begin,
                                     .end = one.end,
                                     .first_id = segment.first_id + one.first_line,
                                     .zone = &zone_};
        const bool whole = summary::scan_stretch(
            range, stop_, [&](const storage::stored_line&, const summary::scanned_record* record) {
                if (record != nullptr) sums.add(*record);
            });
        if (request_.strict && !whole) throw log_changed();
    }

    void append(const piece& one, piece_sums made) {
        if (made.scanned) {
            all_.append(*std::move(made.scanned));
            return;
        }
        all_.append_written(one.whole ? one.known->whole() : made.written, one.times, one.counts);
        if (one.counts) all_.append_durations(one.known, one.first_page, one.end_page, one.durations);
    }

    const storage::log_snapshot& snapshot_;
    const stats_request& request_;
    const base::time_zone& zone_;
    const std::stop_token& stop_;
    summary::summaries* summaries_;
    stats_sums all_;
    std::vector<piece> pieces_;
};

}  // namespace

std::string stats_answer(const storage::log_snapshot& snapshot, const stats_request& request,
                         const base::time_zone& zone, const std::stop_token& stop, const stats_help& help) {
    if (help.summaries != nullptr) {
        try {
            stats_work work(snapshot, request, zone, stop, help.summaries);
            const stats_sums& sums = work.run(help.hands);
            if (!sums.names_left_out()) return sums.text(zone);
        } catch (const summary::damaged_summary&) {
            // The files are the truth.
        }
    }
    stats_work work(snapshot, request, zone, stop, nullptr);
    return work.run(help.hands).text(zone);
}

}  // namespace livelogd::query
