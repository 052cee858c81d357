// SPDX-License-Identifier: MIT
#include "daemon/query/record_search.hpp"

#include "daemon/query/log_changed.hpp"
#include "daemon/summary/stopped.hpp"

#include <algorithm>
#include <utility>

namespace livelogd::query {
namespace {

/// Between two looks at the clock: a fraction of a millisecond.
constexpr std::uint64_t work_a_look = 256u << 10;
constexpr std::uint64_t work_a_block = 16u << 10;
constexpr std::uint64_t work_a_record = 1024;

/// The newest records are asked for most, a hundred or so of them.
constexpr storage::block_sizes from_the_end{.first = 64u << 10};

/// Most error records are shorter.
constexpr storage::block_sizes one_record{.first = 4u << 10};

}  // namespace

record_search::record_search(const storage::log_snapshot& snapshot, const filter::record_filter& filter,
                             id_limits limits, search_context context)
    : snapshot_(snapshot),
      filter_(filter),
      limits_(limits),
      context_(std::move(context)),
      alone_(one_record),
      tells_times_(filter.window().limited()) {
    if (!can_plan(filter)) context_.summaries = nullptr;
}

bool record_search::open(std::size_t segment) {
    file_.reset();
    clock_.reset();
    plan_.clear();
    segment_ = segment;
    work_since_look_ += work_a_block;
    const storage::segment_info& info = snapshot_.segment(segment);
    const bool outside = snapshot_.id_bound(segment) <= limits_.after + 1 || info.first_id >= limits_.before;
    if (info.bytes == 0 || outside) return false;
    plan_ = make_plan(segment);
    if (plan_.empty()) return false;
    auto opened = storage::open_segment(snapshot_, segment);
    if (!opened) {
        plan_.clear();
        return false;
    }
    file_ = std::make_shared<const storage::segment_handle>(std::move(opened));
    clock_.emplace(file_->get(), info.bytes, context_.zone, context_.stop);
    return true;
}

std::vector<search_stretch> record_search::make_plan(std::size_t segment) const {
    const storage::segment_info& info = snapshot_.segment(segment);
    if (context_.summaries != nullptr) {
        try {
            const summary::shared_summary known = context_.summaries->of(snapshot_, segment);
            return plan_of(info, known.get(), filter_);
        } catch (const summary::damaged_summary&) {
            context_.summaries->forget(info.first_id);
        } catch (const std::system_error&) {
            // What cannot be read of a summary is looked for in the segment.
        }
    }
    return plan_of(info, nullptr, filter_);
}

std::uint64_t record_search::lines_of(const search_stretch& stretch) {
    if (stretch.lines != unknown_lines) return stretch.lines;
    const std::uint64_t all = context_.lines.of(snapshot_, segment_, file_->get());
    return all - std::min(all, stretch.first_line);
}

void record_search::read_alone(const search_stretch& stretch) {
    alone_.start(file_->get(), stretch.begin, stretch.end);
    storage::stored_block block;
    if (alone_.next(block)) {
        block.bytes = block.bytes.substr(0, block.bytes.find('\n') + 1);
        take(block);
    } else if (alone_.met_early_end()) {
        met_early_end();
    }
}

void record_search::pass_segment() {
    const auto first_id = snapshot_.segment(segment_).first_id;
    if (first_id < limits_.before) pass(std::max(first_id, limits_.after + 1));
}

void record_search::met_early_end() const {
    if (context_.strict) throw log_changed();
}

std::size_t record_search::take(const storage::stored_block& block) {
    block_ = block;
    left_.clear();
    work_since_look_ += block.bytes.size() + work_a_block;
    return filter_.sieve().pick(block.bytes, left_);
}

bool record_search::examine(const filter::line_place& place, protocol::record_id id, found_record& record) {
    const storage::stored_line line{.offset = block_.offset + place.begin,
                                    .bytes = block_.bytes.substr(place.begin, place.size)};
    examined_ = id;
    work_since_look_ += line.bytes.size() + work_a_record;
    if (scanner_.scan_record(line.bytes, record.fields)) return false;
    record.view = {.line = line.bytes, .digest = protocol::record_digest::of(line.bytes, record.fields)};
    // The time first: its rule is cheaper the more records in a row it sees.
    if (tells_times_) {
        record.time = clock_->time(record.fields.timestamp, line);
        if (!filter_.window().holds(record.time)) return false;
    }
    if (!filter_.matches(record.view)) return false;
    record.id = id;
    record.segment = segment_;
    record.offset = line.offset;
    return true;
}

void record_search::look_at_stop() const {
    if (context_.stop.stop_requested()) throw summary::stopped();
}

bool record_search::deadline_has_passed() {
    if (!context_.deadline) return false;
    if (work_since_look_ < work_a_look) return false;
    work_since_look_ = 0;
    return std::chrono::steady_clock::now() >= *context_.deadline;
}

backward_search::backward_search(const storage::log_snapshot& snapshot, const filter::record_filter& filter,
                                 id_limits limits, search_context context)
    : record_search(snapshot, filter, limits, std::move(context)),
      blocks_(from_the_end),
      older_(snapshot.segment_count()) {}

search_step backward_search::next(found_record& record) {
    for (;;) {
        look_at_stop();
        if (reading_ && left_.empty()) pass(std::max(begin_id_, limits_.after + 1));
        if (deadline_has_passed()) return search_step::out_of_time;
        if (left_.empty() && !next_block()) return search_step::end;
        if (left_.empty()) continue;
        const filter::line_place place = left_.back();
        left_.pop_back();
        const auto id = begin_id_ + place.number;
        if (id > limits_.after && examine(place, id, record)) return search_step::found;
    }
}

/// Of the lines of the block that is done none is left. Reads another one, or comes nearer to it. False if
/// it was the last one.
bool backward_search::next_block() {
    if (reading_) {
        if (is_at_limit()) return false;
        storage::stored_block block;
        reading_ = blocks_.previous(block);
        if (reading_) begin_id_ -= take(block);
        if (blocks_.met_early_end()) met_early_end();
        return true;
    }
    if (!plan_.empty()) {
        const search_stretch stretch = plan_.back();
        plan_.pop_back();
        start(stretch);
        if (plan_.empty() && !reading_) pass_segment();
        return true;
    }
    if (older_ == 0) return false;
    --older_;
    if (!open(older_)) pass_segment();
    return true;
}

void backward_search::start(const search_stretch& stretch) {
    const auto first_id = snapshot_.segment(segment_).first_id + stretch.first_line;
    if (first_id >= limits_.before) return;
    if (stretch.first_only) {
        if (first_id <= limits_.after) return;
        begin_id_ = first_id;
        read_alone(stretch);
        return;
    }
    std::uint64_t end = stretch.end;
    std::uint64_t lines = lines_of(stretch);
    if (first_id + lines > limits_.before) {
        lines = limits_.before - first_id;
        end = storage::offset_of_line(file_->get(), stretch.begin, stretch.end, lines);
    }
    begin_id_ = first_id + lines;
    blocks_.start(file_->get(), stretch.begin, end);
    reading_ = true;
}

forward_search::forward_search(const storage::log_snapshot& snapshot, const filter::record_filter& filter,
                               id_limits limits, search_context context)
    : record_search(snapshot, filter, limits, std::move(context)) {}

search_step forward_search::next(found_record& record) {
    for (;;) {
        look_at_stop();
        const bool block_is_done = next_left_ == left_.size();
        if (reading_ && block_is_done) pass(std::min(end_id_, limits_.before) - 1);
        if (deadline_has_passed()) return search_step::out_of_time;
        if (block_is_done && !next_block()) return search_step::end;
        if (next_left_ == left_.size()) continue;
        const filter::line_place& place = left_[next_left_++];
        const auto id = begin_id_ + place.number;
        if (id < limits_.before && examine(place, id, record)) return search_step::found;
    }
}

/// As of the other direction.
bool forward_search::next_block() {
    if (reading_) {
        if (end_id_ >= limits_.before) return false;
        storage::stored_block block;
        reading_ = blocks_.next(block);
        if (reading_) {
            begin_id_ = end_id_;
            end_id_ += take(block);
            next_left_ = 0;
        }
        if (blocks_.met_early_end()) met_early_end();
        return true;
    }
    if (next_stretch_ < plan_.size()) {
        start(plan_[next_stretch_++]);
        return true;
    }
    if (next_segment_ == snapshot_.segment_count()) return false;
    next_stretch_ = 0;
    open(next_segment_++);
    return true;
}

void forward_search::start(const search_stretch& stretch) {
    const auto first_id = snapshot_.segment(segment_).first_id + stretch.first_line;
    const bool known = stretch.lines != unknown_lines;
    if (first_id >= limits_.before || (known && first_id + stretch.lines <= limits_.after + 1)) return;
    if (stretch.first_only) {
        begin_id_ = first_id;
        next_left_ = 0;
        read_alone(stretch);
        return;
    }
    const std::uint64_t skipped = limits_.after >= first_id ? limits_.after + 1 - first_id : 0;
    const auto begin = storage::offset_of_line(file_->get(), stretch.begin, stretch.end, skipped);
    end_id_ = first_id + skipped;
    blocks_.start(file_->get(), begin, stretch.end);
    reading_ = begin < stretch.end;
}

std::optional<std::int64_t> time_of_record(const storage::log_snapshot& snapshot, protocol::record_id id,
                                           const search_context& context) {
    const filter::record_filter everything;
    forward_search search(snapshot, everything, {.after = id - 1, .before = id + 1}, context);
    search.tell_times();
    found_record record;
    return search.next(record) == search_step::found ? record.time : std::nullopt;
}

}  // namespace livelogd::query
