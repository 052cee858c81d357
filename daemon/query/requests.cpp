// SPDX-License-Identifier: MIT
#include "daemon/query/requests.hpp"

#include "daemon/query/log_changed.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace livelogd::query {
namespace {

/// Responses up to this size are kept until their request is found, so many bytes of them in all; others are
/// read again.
constexpr std::size_t kept_response_bytes = 16u << 10;
constexpr std::size_t all_kept_bytes = 16u << 20;

/// A response whose request has not been met yet.
struct free_response {
    protocol::record_id id = 0;
    std::optional<std::int64_t> time;
    std::uint64_t offset = 0;
    std::size_t size = 0;
    std::shared_ptr<const storage::segment_handle> file;
    std::string line;  ///< empty: to be read from the file
};

struct row {
    protocol::record_id id = 0;
    std::string text;
};

class pairing {
  public:
    pairing(const storage::log_snapshot& snapshot, const requests_request& request,
            const search_context& context)
        : request_(request),
          search_(snapshot, everything_, {}, timed(request, context)),
          newest_(snapshot.next_id),
          position_(snapshot.next_id) {
        search_.tell_times();
    }

    requests_answer answer();

  private:
    static search_context timed(const requests_request& request, search_context context) {
        if (request.scan_time) context.deadline = std::chrono::steady_clock::now() + *request.scan_time;
        return context;
    }

    void take(const found_record& record);
    void add_free(const std::string& key, const found_record& record);
    void add_row(const request_side* request, const request_side* response);
    void add_rows_without_request();
    [[nodiscard]] bool row_is_wanted(const request_side* request, const request_side* response) const;
    [[nodiscard]] bool in_limits(protocol::record_id id) const;
    [[nodiscard]] bool is_complete() const;
    static request_side side_of(const found_record& record) {
        return {.id = record.id, .time = record.time, .view = record.view, .fields = record.fields};
    }
    request_side read_again(free_response& response);

    const requests_request& request_;
    const filter::record_filter everything_;
    backward_search search_;
    protocol::record_id newest_;
    protocol::record_id position_;  ///< the record that was looked at last; at first behind the newest
    protocol::record_scanner scanner_;
    std::unordered_map<std::string, std::vector<free_response>> free_;  ///< by request_id, newest first
    std::size_t kept_bytes_ = 0;
    /// Of those, the ones that would be rows if no request turned up.
    std::map<protocol::record_id, row> lone_rows_;
    std::deque<row> rows_;  ///< newest first
};

bool pairing::in_limits(protocol::record_id id) const {
    return (!request_.before || id < *request_.before) && (!request_.after || id > *request_.after);
}

bool pairing::row_is_wanted(const request_side* request, const request_side* response) const {
    const request_side& first = request != nullptr ? *request : *response;
    if (!in_limits(first.id)) return false;
    if (!request_.filter.window().holds(first.time)) return false;
    const auto state = state_of(request, response, request_.clock);
    if (!request_.states.test(static_cast<std::size_t>(state))) return false;
    return request != nullptr && response != nullptr
               ? request_.filter.matches_pair(request->view, response->view)
               : request_.filter.matches(first.view);
}

void pairing::add_row(const request_side* request, const request_side* response) {
    // Rows come with falling ids: behind a full page there is none that is wanted. Above `after` the oldest
    // are.
    if (!request_.after && rows_.size() >= request_.lines) return;
    if (!row_is_wanted(request, response)) return;
    const request_side& first = request != nullptr ? *request : *response;
    const auto state = state_of(request, response, request_.clock);
    rows_.push_back({.id = first.id, .text = row_text(request, response, state, request_.clock)});
    if (rows_.size() > request_.lines) rows_.pop_front();
}

void pairing::add_free(const std::string& key, const found_record& record) {
    const request_side response = side_of(record);
    if (row_is_wanted(nullptr, &response)) {
        auto text = row_text(nullptr, &response, request_state::no_request, request_.clock);
        lone_rows_.emplace(record.id, row{.id = record.id, .text = std::move(text)});
    }
    free_response kept{.id = record.id,
                       .time = record.time,
                       .offset = record.offset,
                       .size = record.size(),
                       .file = search_.file(),
                       .line = {}};
    if (kept.size <= kept_response_bytes && kept_bytes_ + kept.size <= all_kept_bytes) {
        kept.line = record.view.line;
        kept_bytes_ += kept.size;
    }
    free_[key].push_back(std::move(kept));
}

request_side pairing::read_again(free_response& response) {
    if (response.line.empty()) {
        storage::forward_reader lines(response.file->get(), response.offset,
                                      response.offset + response.size + 1);
        storage::stored_line line;
        if (!lines.next(line)) throw log_changed();
        response.line = line.bytes;
    }
    request_side side{.id = response.id, .time = response.time, .view = {}, .fields = {}};
    if (scanner_.scan_record(response.line, side.fields)) throw log_changed();
    side.view = {.line = response.line, .digest = protocol::record_digest::of(response.line, side.fields)};
    return side;
}

void pairing::take(const found_record& record) {
    position_ = record.id;
    const bool is_request = protocol::string_equals(record.fields.type, "request");
    const bool is_response = !is_request && protocol::string_equals(record.fields.type, "response");
    if (!is_request && !is_response) return;
    const auto key = protocol::scalar_name(record.fields.request_id);
    const request_side side = side_of(record);
    if (is_response) {
        if (key) {
            add_free(*key, record);
        } else {
            add_row(nullptr, &side);
        }
        return;
    }
    const auto found = key ? free_.find(*key) : free_.end();
    if (found == free_.end()) return add_row(&side, nullptr);
    free_response response = std::move(found->second.back());
    found->second.pop_back();
    if (found->second.empty()) free_.erase(found);
    lone_rows_.erase(response.id);
    kept_bytes_ -= response.line.size();
    const bool may_be_wanted = in_limits(record.id) && (request_.after || rows_.size() < request_.lines);
    if (!may_be_wanted) return;
    const request_side answered = read_again(response);
    add_row(&side, &answered);
}

/// Whether nothing that is still to be read can change the answer.
bool pairing::is_complete() const {
    const bool full = rows_.size() >= request_.lines && !request_.after;
    const bool below = request_.after && position_ <= *request_.after + 1;
    if (!full && !below) return false;
    // A lone response may still turn out to be a row of its own, in front of the last one.
    return lone_rows_.empty() || (full && lone_rows_.rbegin()->first < rows_.back().id);
}

void pairing::add_rows_without_request() {
    for (auto& [id, lone] : lone_rows_)
        rows_.push_back(std::move(lone));
    std::ranges::sort(rows_, [](const row& a, const row& b) { return a.id > b.id; });
    if (rows_.size() <= request_.lines) return;
    if (request_.after) {
        rows_.erase(rows_.begin(), rows_.end() - static_cast<std::ptrdiff_t>(request_.lines));
    } else {
        rows_.resize(request_.lines);
    }
}

requests_answer pairing::answer() {
    auto step = search_step::found;
    found_record record;
    while (!is_complete()) {
        step = search_.next(record);
        if (step != search_step::found) break;
        take(record);
    }
    // What is left of the responses has no request, unless there was no time to look for it.
    if (step == search_step::end) add_rows_without_request();

    requests_answer result;
    if (!rows_.empty()) result.extent = {.first = rows_.front().id, .last = rows_.back().id};
    const bool full = rows_.size() == request_.lines;
    const auto end = std::min(request_.before.value_or(newest_), newest_);
    if (request_.after) {
        result.extent.scanned_to = full ? rows_.front().id : std::max(*request_.after, end - 1);
    } else if (full) {
        result.extent.scanned_to = rows_.back().id;
    } else {
        result.extent.scanned_to = step == search_step::out_of_time ? search_.examined().value_or(end) : 0;
    }
    const std::string_view separator = request_.ndjson ? "\n" : ",\n";
    if (!request_.ndjson) result.text += '[';
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (i > 0) result.text += separator;
        result.text += rows_[i].text;
    }
    if (!request_.ndjson) result.text += ']';
    if (!request_.ndjson || !rows_.empty()) result.text += '\n';
    return result;
}

}  // namespace

requests_answer answer_requests(const storage::log_snapshot& snapshot, const requests_request& request,
                                const search_context& context) {
    return pairing(snapshot, request, context).answer();
}

}  // namespace livelogd::query
