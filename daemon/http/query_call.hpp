// SPDX-License-Identifier: MIT
// What endpoints share that answer from the files.
#pragma once

#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"
#include "daemon/net/offload.hpp"
#include "daemon/query/history.hpp"
#include "daemon/query/log_changed.hpp"
#include "daemon/query/record_search.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

namespace livelogd::http {

/// Ends a scan when its client is gone or the daemon stops. Kept as long as the scan may go on.
class scan_stop {
  public:
    scan_stop(const request& asked, const services& s)
        : on_gone_(asked.gone, request_stop{source_}), on_stop_(s.streams.stopping, request_stop{source_}) {}

    [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

  private:
    struct request_stop {
        std::stop_source source;
        void operator()() { source.request_stop(); }
    };
    std::stop_source source_;
    std::stop_callback<request_stop> on_gone_;
    std::stop_callback<request_stop> on_stop_;
};

/// Runs `answer(snapshot, context)` on a worker thread, from a view of the log that stays true while it is
/// made. It must own what it uses, but for what outlives all requests (see services).
template <class Answer>
auto from_log(const services& s, std::shared_ptr<const scan_stop> stop, Answer answer) -> net::awaitable<
    std::invoke_result_t<Answer, const storage::log_snapshot&, const query::search_context&>> {
    auto work = [s, stop = std::move(stop), answer = std::move(answer)]() mutable {
        return query::from_steady_view(s.log, [&](const storage::log_snapshot& snapshot, bool strict) {
            const query::search_context context{.lines = s.lines,
                                                .zone = s.zone,
                                                .summaries = s.summaries,
                                                .stop = stop->token(),
                                                .strict = strict};
            return answer(snapshot, context);
        });
    };
    co_return co_await net::offload(s.streams.workers, std::move(work));
}

/// Reads `before`, `after`, `scan_ms` and `format`, which several endpoints know.
std::optional<protocol::record_id> id_parameter(const parameters& given, std::string_view name);
std::optional<std::chrono::milliseconds> scan_time(const parameters& given);
bool wants_ndjson(const parameters& given);

/// Adds the headers that tell what a search has found.
void add_extent_headers(reply& answer, const query::history_extent& extent);

/// Records that have been found, and the first piece of the answer.
struct begun_history {
    std::shared_ptr<query::history_answer> answer;
    std::string first;
    bool more = false;  ///< there are further pieces
};

/// Searches, and makes the first piece: what can go wrong goes wrong before the answer's head says 200.
net::awaitable<begun_history> begin_history(const services& s, std::shared_ptr<const scan_stop> stop,
                                            query::history_request wanted);

/// The answer, each further piece of which is read on a worker thread.
reply history_reply(const services& s, std::shared_ptr<const scan_stop> stop, begun_history begun,
                    query::answer_format format);

}  // namespace livelogd::http
