// SPDX-License-Identifier: MIT
#include "daemon/query/history.hpp"

#include "daemon/query/log_changed.hpp"
#include "daemon/summary/stopped.hpp"
#include "protocol/elide.hpp"
#include "protocol/json_walk.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::query {
namespace {

constexpr std::size_t piece_bytes = 256u << 10;

/// A piece is full enough when less than this is left of it: no reads of a few bytes to fill it up.
constexpr std::size_t least_read_bytes = 16u << 10;

/// What lies between two runs is read over if it is no longer than this: cheaper than another call.
constexpr std::uint64_t widest_gap_bytes = 8u << 10;

/// Neighbouring records that are all wanted: from the first one's first byte to the last one's LF, without
/// it.
struct run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    protocol::record_id first_id = 0;
};

/// What is wanted of one segment. The newest run comes first: the order in which they are taken away.
struct part {
    std::shared_ptr<const storage::segment_handle> file;
    std::vector<run> runs;
};

void read_exactly(const storage::segment_source& from, char* to, std::size_t size, std::uint64_t offset) {
    if (from.read(to, size, offset) != size) throw log_changed();
}

void skip_blanks(std::string_view& bytes) {
    while (!bytes.empty() && protocol::is_json_blank(bytes.front()))
        bytes.remove_prefix(1);
}

std::string id_member(protocol::record_id id) {
    return "\"livelog_id\":" + std::to_string(id) + ",";
}

/// Notes where records stand: 24 bytes for each run of neighbours.
class collector {
  public:
    /// A record that lies behind all those before it, or in front of them.
    void add(const found_record& record, const std::shared_ptr<const storage::segment_handle>& file) {
        if (parts.empty() || parts.back().file != file) parts.push_back({.file = file, .runs = {}});
        auto& runs = parts.back().runs;
        const std::uint64_t end = record.offset + record.size();
        if (!runs.empty() && runs.back().begin == end + 1) {
            runs.back().begin = record.offset;
            runs.back().first_id = record.id;
        } else if (!runs.empty() && runs.back().end + 1 == record.offset) {
            runs.back().end = end;
        } else {
            runs.push_back({.begin = record.offset, .end = end, .first_id = record.id});
        }
    }

    /// They were added from the oldest to the newest: now the newest come first.
    void turn_around() {
        std::ranges::reverse(parts);
        for (part& one : parts)
            std::ranges::reverse(one.runs);
    }

    std::vector<part> parts;
};

}  // namespace

struct history_answer::state {
    state(const history_request& request, const search_context& context)
        : format(request.format), form(request.form), stop(context.stop) {}

    void search_backward(const storage::log_snapshot& snapshot, const history_request& request,
                         const search_context& context);
    void search_forward(const storage::log_snapshot& snapshot, const history_request& request,
                        const search_context& context);

    void append_some(std::string& out, std::size_t most);
    void append_run_bytes(std::string& out, std::string_view bytes, run& from);
    void append_elided_record(std::string& out);
    void begin_record(std::string& out, protocol::record_id id);
    void end_run();

    answer_format format;
    record_form form;
    std::stop_token stop;
    history_extent extent;

    std::vector<part> parts;  ///< still to be written; the newest segment first
    std::vector<char> block;
    bool begun = false;
    bool any_written = false;
    bool within_record = false;                    ///< of the next record the first bytes are out already
    bool comma_due = false;                        ///< its id is written, and nothing of its own members
    std::optional<storage::forward_reader> lines;  ///< of the next run, where records are read whole
    bool complete = false;
};

void history_answer::state::search_backward(const storage::log_snapshot& snapshot,
                                            const history_request& request, const search_context& context) {
    const id_limits limits{.before = request.before.value_or(protocol::max_record_id + 1)};
    backward_search records(snapshot, request.filter, limits, context);
    collector found;
    found_record record;
    extent.scanned_to = std::min(limits.before, snapshot.next_id);
    for (std::size_t count = 0; count < request.lines; ++count) {
        const auto step = records.next(record);
        if (step == search_step::found) {
            if (!extent.last) extent.last = record.id;
            extent.first = record.id;
            found.add(record, records.file());
        } else {
            // A search that was cut short has not come to the end.
            if (step == search_step::end) extent.scanned_to = 0;
            break;
        }
    }
    if (extent.scanned_to != 0) extent.scanned_to = records.examined().value_or(extent.scanned_to);
    parts = std::move(found.parts);
}

void history_answer::state::search_forward(const storage::log_snapshot& snapshot,
                                           const history_request& request, const search_context& context) {
    const id_limits limits{.after = *request.after,
                           .before = request.before.value_or(protocol::max_record_id + 1)};
    forward_search records(snapshot, request.filter, limits, context);
    collector found;
    found_record record;
    extent.scanned_to = limits.after;
    auto step = search_step::found;
    for (std::size_t count = 0; count < request.lines && step == search_step::found; ++count) {
        step = records.next(record);
        if (step != search_step::found) break;
        if (!extent.first) extent.first = record.id;
        extent.last = record.id;
        found.add(record, records.file());
    }
    extent.scanned_to = records.examined().value_or(extent.scanned_to);
    // All that there is has been looked at, records that are gone too.
    if (step == search_step::end)
        extent.scanned_to = std::max(limits.after, std::min(limits.before, snapshot.next_id) - 1);
    found.turn_around();
    parts = std::move(found.parts);
}

void history_answer::state::begin_record(std::string& out, protocol::record_id id) {
    if (any_written) out += format == answer_format::json ? ",\n" : "\n";
    any_written = true;
    if (!form.ids || form.elide) return;
    out.append("{").append(id_member(id));
    out.pop_back();  // whether a comma has to follow shows later
    comma_due = true;
}

void history_answer::state::end_run() {
    auto& runs = parts.back().runs;
    lines.reset();
    runs.pop_back();
    if (runs.empty()) parts.pop_back();
}

/// Writes these bytes, with which `from` goes on, and moves its begin behind them.
void history_answer::state::append_run_bytes(std::string& out, std::string_view bytes, run& from) {
    from.begin += bytes.size();
    while (!bytes.empty()) {
        if (!within_record) {
            // Only lines that somebody else has written begin with blanks.
            if (form.ids) skip_blanks(bytes);
            if (bytes.empty()) return;
            begin_record(out, from.first_id);
            within_record = true;
            if (form.ids) bytes.remove_prefix(1);  // the brace is written
        }
        if (comma_due) {
            skip_blanks(bytes);
            if (bytes.empty()) return;
            comma_due = false;
            if (bytes.front() != '}') out += ',';
        }
        const std::size_t line_end = bytes.find('\n');
        out.append(bytes.substr(0, line_end));
        if (line_end == std::string_view::npos) return;
        within_record = false;
        ++from.first_id;
        bytes.remove_prefix(line_end + 1);
    }
}

/// Writes the oldest records that are still to be written, with one read of at most `most` bytes.
void history_answer::state::append_some(std::string& out, std::size_t most) {
    auto& runs = parts.back().runs;
    const std::uint64_t begin = runs.back().begin;
    const std::uint64_t limit = begin + most;
    std::uint64_t end = std::min(runs.back().end, limit);
    for (auto next = runs.rbegin() + 1; next != runs.rend(); ++next) {
        if (next->begin - end > widest_gap_bytes || next->begin >= limit) break;
        end = std::min(next->end, limit);
    }
    block.resize(static_cast<std::size_t>(end - begin));
    read_exactly(parts.back().file->get(), block.data(), block.size(), begin);
    const std::string_view bytes(block.data(), block.size());
    for (bool last = false; !last;) {
        run& next = runs.back();
        const std::uint64_t stop_at = std::min(next.end, end);
        append_run_bytes(out, bytes.substr(next.begin - begin, stop_at - next.begin), next);
        if (next.begin < next.end) return;
        within_record = false;
        last = runs.size() == 1 || (runs.rbegin() + 1)->begin >= end;
        end_run();
    }
}

/// Writes the oldest record that is still to be written, which is read whole.
void history_answer::state::append_elided_record(std::string& out) {
    run& next = parts.back().runs.back();
    if (!lines) lines.emplace(parts.back().file->get(), next.begin, next.end + 1, piece_bytes);
    storage::stored_line line;
    if (!lines->next(line)) throw log_changed();
    begin_record(out, next.first_id);
    const std::string members = form.ids ? id_member(next.first_id) : std::string();
    protocol::append_elided(out, line.bytes, members, *form.elide);
    ++next.first_id;
    next.begin = line.offset + line.bytes.size() + 1;
    if (next.begin > next.end) end_run();
}

history_answer::history_answer(const storage::log_snapshot& snapshot, const history_request& request,
                               const search_context& context)
    : state_(std::make_unique<state>(request, context)) {
    search_context timed = context;
    if (request.scan_time) timed.deadline = std::chrono::steady_clock::now() + *request.scan_time;
    if (request.after) {
        state_->search_forward(snapshot, request, timed);
    } else {
        state_->search_backward(snapshot, request, timed);
    }
}

history_answer::~history_answer() = default;

const history_extent& history_answer::extent() const {
    return state_->extent;
}

bool history_answer::next(std::string& out) {
    state& s = *state_;
    if (s.complete) return false;
    const std::size_t before = out.size();
    if (!std::exchange(s.begun, true) && s.format == answer_format::json) out += '[';
    while (!s.parts.empty()) {
        if (s.stop.stop_requested()) throw summary::stopped();
        const std::size_t size = out.size() - before;
        if (size + least_read_bytes > piece_bytes) return true;
        if (s.form.elide) {
            s.append_elided_record(out);
        } else {
            s.append_some(out, piece_bytes - size);
        }
    }
    if (s.format == answer_format::json) {
        out += "]\n";
    } else if (s.any_written) {
        out += '\n';
    }
    s.complete = true;
    return false;
}

bool history_answer::pins_removed_files() const {
    return std::ranges::any_of(state_->parts, [](const part& one) { return one.file->get().is_removed(); });
}

}  // namespace livelogd::query
