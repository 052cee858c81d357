// SPDX-License-Identifier: MIT
//
// The log is cut into pieces: whole segments and pages whose sums are known and either count whole or not at
// all, and stretches that have to be read. Runs of many whole segments, whose sums are remembered, are one
// piece again. Pieces are worked on side by side, and put together in order.
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

    // Of a run: its segments, places in a list of their own.
    std::size_t first_member = 0;
    std::size_t end_member = 0;
    [[nodiscard]] bool is_run() const { return first_member != end_member; }
};

/// What has become of a piece: one of them, or nothing of a whole segment.
struct piece_sums {
    std::optional<stats_sums> scanned;
    std::string written;                               ///< of a page
    std::shared_ptr<const std::string> run = nullptr;  ///< of a run; null if they cannot be had together
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
        if (summaries_ != nullptr) gather_runs();
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

    /// Whether these pieces may be added up together.
    [[nodiscard]] static bool go_together(const piece& one, const piece& next) {
        return one.whole && next.whole && one.counts == next.counts;
    }

    [[nodiscard]] bool ends_run(const piece& one) const {
        return one.whole && summaries_->runs().ends_with(snapshot_.segment(one.segment).first_id);
    }

    /// Makes one piece of the segments of each run that is there from its beginning to its end.
    void gather_runs() {
        std::vector<piece> gathered;
        bool may_begin = false;  // a run has ended with the piece before
        for (std::size_t begin = 0; begin < pieces_.size();) {
            const std::size_t end = may_begin ? run_from(begin) : begin;
            if (end == begin) {
                may_begin = ends_run(pieces_[begin]);
                gathered.push_back(std::move(pieces_[begin++]));
                continue;
            }
            piece run{.counts = pieces_[begin].counts, .first_member = members_.size()};
            for (; begin < end; ++begin) {
                run.times.merge(pieces_[begin].times);
                members_.push_back(std::move(pieces_[begin]));
            }
            run.end_member = members_.size();
            gathered.push_back(std::move(run));
            may_begin = true;
        }
        pieces_ = std::move(gathered);
    }

    /// One past the last piece of the run that begins with this one; `begin` if it is not there to its end.
    [[nodiscard]] std::size_t run_from(std::size_t begin) const {
        std::size_t last = begin;
        summary::time_range times = pieces_[begin].times;
        while (!ends_run(pieces_[last])) {
            if (last + 1 == pieces_.size() || !go_together(pieces_[last], pieces_[last + 1])) return begin;
            times.merge(pieces_[++last].times);
        }
        if (last == begin) return begin;
        // Each belongs to one part of the timeline, but not all to the same one, perhaps.
        const auto relation = all_.relation(times);
        const auto wanted = pieces_[begin].counts ? stats_sums::part_in::all : stats_sums::part_in::nothing;
        return relation == wanted ? last + 1 : begin;
    }

    /// On any of the threads. Throws damaged_summary.
    [[nodiscard]] std::shared_ptr<const std::string> sums_of_run(const piece& one) const {
        std::vector<shared_summary> segments;
        for (std::size_t i = one.first_member; i < one.end_member; ++i)
            segments.push_back(members_[i].known);
        if (auto known = summaries_->runs().find(segments)) return known;
        record_sums sums(record_sums::start::of_stretch);
        for (const shared_summary& segment : segments)
            sums.merge(segment->whole(), true);
        if (sums.names_left_out()) return nullptr;
        auto written = std::make_shared<std::string>();
        sums.write(*written);
        summaries_->runs().remember(segments, written);
        return written;
    }

    /// On any of the threads.
    piece_sums sums_of(const piece& one) const {
        piece_sums made;
        if (one.is_run()) made.run = sums_of_run(one);
        if (one.is_run() || one.whole) return made;
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
        if (one.is_run()) {
            append_run(one, made.run.get());
            return;
        }
        if (made.scanned) {
            all_.append(*std::move(made.scanned));
            return;
        }
        all_.append_written(one.whole ? one.known->whole() : made.written, one.times, one.counts);
        if (one.counts) all_.append_durations(one.known, one.first_page, one.end_page, one.durations);
    }

    void append_run(const piece& run, const std::string* sums) {
        if (sums != nullptr) all_.append_written(*sums, run.times, run.counts);
        for (std::size_t i = run.first_member; i < run.end_member; ++i) {
            const piece& one = members_[i];
            if (sums == nullptr) {
                append(one, {});
            } else if (one.counts) {
                all_.append_durations(one.known, one.first_page, one.end_page, one.durations);
            }
        }
    }

    const storage::log_snapshot& snapshot_;
    const stats_request& request_;
    const base::time_zone& zone_;
    const std::stop_token& stop_;
    summary::summaries* summaries_;
    stats_sums all_;
    std::vector<piece> pieces_;
    std::vector<piece> members_;  ///< of the runs among them
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
