// SPDX-License-Identifier: MIT
#include "daemon/http/query_call.hpp"

#include <array>
#include <stdexcept>
#include <string>

namespace livelogd::http {
namespace {

using clock = std::chrono::steady_clock;

/// How often it is looked whether files that an answer needs have been removed.
constexpr auto look_interval = std::chrono::seconds(1);

constexpr std::uint64_t max_scan_ms = 3'600'000;
constexpr std::array<std::string_view, 2> formats{"json", "ndjson"};

class history_body final : public body_source {
  public:
    history_body(const services& s, std::shared_ptr<const scan_stop> stop, begun_history begun)
        : workers_(s.streams.workers),
          patience_(s.stall),
          stop_(std::move(stop)),
          answer_(std::move(begun.answer)),
          first_(std::move(begun.first)) {}

    net::awaitable<bool> next(std::string& out) override {
        if (!first_.empty()) {
            out += std::exchange(first_, {});
            co_return true;
        }
        if (is_overdue())
            throw std::runtime_error("the client took too long for files that have been removed");
        auto work = [answer = answer_, stop = stop_] {
            std::pair<bool, std::string> made;
            made.first = answer->next(made.second);
            return made;
        };
        auto made = co_await net::offload(workers_, std::move(work));
        out += made.second;
        co_return made.first;
    }

    /// A client that takes its time must not keep the disk from being freed for ever.
    bool is_overdue() override {
        const auto now = clock::now();
        if (now < next_look_) return false;
        next_look_ = now + look_interval;
        if (!answer_->pins_removed_files()) return false;
        if (!pinned_since_) pinned_since_ = now;
        return now - *pinned_since_ > patience_;
    }

  private:
    net::worker_pool& workers_;
    clock::duration patience_;
    std::shared_ptr<const scan_stop> stop_;
    std::shared_ptr<query::history_answer> answer_;
    std::string first_;
    clock::time_point next_look_;
    std::optional<clock::time_point> pinned_since_;
};

}  // namespace

std::optional<protocol::record_id> id_parameter(const parameters& given, std::string_view name) {
    return given.whole_number(name, 0, protocol::max_record_id);
}

std::optional<std::chrono::milliseconds> scan_time(const parameters& given) {
    const auto ms = given.whole_number("scan_ms", 1, max_scan_ms);
    return ms ? std::optional(std::chrono::milliseconds(*ms)) : std::nullopt;
}

bool wants_ndjson(const parameters& given) {
    return given.choice("format", formats) == 1;
}

void add_extent_headers(reply& answer, const query::history_extent& extent) {
    if (extent.first) answer.headers.emplace_back("Livelog-First-Id", std::to_string(*extent.first));
    if (extent.last) answer.headers.emplace_back("Livelog-Last-Id", std::to_string(*extent.last));
    answer.headers.emplace_back("Livelog-Scanned-To", std::to_string(extent.scanned_to));
}

net::awaitable<begun_history> begin_history(const services& s, std::shared_ptr<const scan_stop> stop,
                                            query::history_request wanted) {
    auto search = [wanted = std::move(wanted)](const storage::log_snapshot& snapshot,
                                               const query::search_context& context) {
        begun_history begun;
        begun.answer = std::make_shared<query::history_answer>(snapshot, wanted, context);
        begun.more = begun.answer->next(begun.first);
        return begun;
    };
    auto begun = co_await from_log(s, std::move(stop), std::move(search));
    co_return begun;
}

reply history_reply(const services& s, std::shared_ptr<const scan_stop> stop, begun_history begun,
                    query::answer_format format) {
    reply made;
    if (format == query::answer_format::ndjson) made.content_type = "application/x-ndjson";
    // What is asked for by its id needs no telling of where it was found.
    if (format != query::answer_format::bare) add_extent_headers(made, begun.answer->extent());
    if (begun.more) {
        made.body = std::make_unique<history_body>(s, std::move(stop), std::move(begun));
    } else {
        made.body = std::move(begun.first);
    }
    return made;
}

}  // namespace livelogd::http
