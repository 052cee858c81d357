// SPDX-License-Identifier: MIT
#include "daemon/query/record_search.hpp"

#include "daemon/query/log_changed.hpp"
#include "daemon/summary/stopped.hpp"

#include <utility>

namespace livelogd::query {
namespace {

/// Between two looks at the clock: a fraction of a millisecond.
constexpr std::uint64_t work_a_look = 256u << 10;
constexpr std::uint64_t work_a_record = 1024;

}  // namespace

record_search::record_search(const storage::log_snapshot& snapshot, const filter::record_filter& filter,
                             id_limits limits, search_context context)
    : snapshot_(snapshot),
      filter_(filter),
      limits_(limits),
      context_(std::move(context)),
      tells_times_(filter.window().limited()) {}

/// False if there is nothing to read in this segment.
bool record_search::open(std::size_t segment) {
    file_.reset();
    clock_.reset();
    segment_ = segment;
    const storage::segment_info& info = snapshot_.segment(segment);
    const bool outside = snapshot_.id_bound(segment) <= limits_.after + 1 || info.first_id >= limits_.before;
    if (info.bytes == 0 || outside) return false;
    base::unique_fd fd = storage::open_segment(snapshot_, segment);
    if (!fd) return false;
    file_ = std::make_shared<const base::unique_fd>(std::move(fd));
    clock_.emplace(file_->get(), info.bytes, context_.zone, context_.stop);
    return true;
}

bool record_search::examine(const storage::stored_line& line, protocol::record_id id, found_record& record) {
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
    : record_search(snapshot, filter, limits, std::move(context)), left_(snapshot.segment_count()) {}

search_step backward_search::next(found_record& record) {
    storage::stored_line line;
    for (;;) {
        look_at_stop();
        if (deadline_has_passed()) return search_step::out_of_time;
        const bool read = reader_ && reader_->previous(line);
        if (context_.strict && reader_ && reader_->met_early_end()) throw log_changed();
        if (!read) {
            if (left_ == 0) return search_step::end;
            if (!open_older()) reader_.reset();
            continue;
        }
        --next_id_;
        if (next_id_ <= limits_.after) {
            left_ = 0;
            reader_.reset();
            return search_step::end;
        }
        if (examine(line, next_id_, record)) return search_step::found;
    }
}

bool backward_search::open_older() {
    reader_.reset();
    --left_;
    if (!open(left_)) return false;
    const storage::segment_info& info = snapshot_.segment(left_);
    std::uint64_t end = info.bytes;
    std::uint64_t lines = context_.lines.of(snapshot_, left_, file_->get());
    if (info.first_id + lines > limits_.before) {
        lines = limits_.before - info.first_id;
        end = storage::offset_of_line(file_->get(), info.bytes, lines);
    }
    next_id_ = info.first_id + lines;
    reader_.emplace(file_->get(), 0, end);
    return true;
}

forward_search::forward_search(const storage::log_snapshot& snapshot, const filter::record_filter& filter,
                               id_limits limits, search_context context)
    : record_search(snapshot, filter, limits, std::move(context)), next_segment_(0) {}

search_step forward_search::next(found_record& record) {
    storage::stored_line line;
    for (;;) {
        look_at_stop();
        if (deadline_has_passed()) return search_step::out_of_time;
        const bool read = reader_ && reader_->next(line);
        if (context_.strict && reader_ && reader_->met_early_end()) throw log_changed();
        if (!read) {
            if (next_segment_ == snapshot_.segment_count()) return search_step::end;
            if (!open_newer()) reader_.reset();
            continue;
        }
        const auto id = next_id_++;
        if (id >= limits_.before) {
            next_segment_ = snapshot_.segment_count();
            reader_.reset();
            return search_step::end;
        }
        if (examine(line, id, record)) return search_step::found;
    }
}

bool forward_search::open_newer() {
    reader_.reset();
    const auto segment = next_segment_++;
    if (!open(segment)) return false;
    const storage::segment_info& info = snapshot_.segment(segment);
    std::uint64_t skipped = 0;
    if (limits_.after >= info.first_id) skipped = limits_.after + 1 - info.first_id;
    const auto begin = storage::offset_of_line(file_->get(), info.bytes, skipped);
    next_id_ = info.first_id + skipped;
    reader_.emplace(file_->get(), begin, info.bytes);
    return begin < info.bytes;
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
