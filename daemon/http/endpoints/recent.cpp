// SPDX-License-Identifier: MIT
// GET /api/v1/logs/recent: lines (1 to 100000, default 100), and the filter.
#include "daemon/query/recent.hpp"
#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"
#include "daemon/query/log_changed.hpp"

namespace livelogd::http {
namespace {

constexpr std::uint64_t max_lines = 100000;

/// The pieces of the answer, each made on a worker thread. The first one, in which the search was done, is at
/// hand.
class recent_body final : public body_source {
  public:
    recent_body(std::shared_ptr<query::recent_answer> answer, net::worker_pool& workers, std::string first)
        : answer_(std::move(answer)), workers_(workers), first_(std::move(first)) {}

    net::awaitable<bool> next(std::string& out) override {
        if (!first_.empty()) {
            out = std::exchange(first_, {});
            co_return true;
        }
        auto work = [answer = answer_] {
            made result;
            result.answer = answer;
            result.more = answer->next(result.piece);
            return result;
        };
        auto next = co_await net::offload(workers_, std::move(work));
        out = std::move(next.piece);
        co_return next.more;
    }

    struct made {
        std::shared_ptr<query::recent_answer> answer;
        bool more = false;
        std::string piece;
    };
    /// The search, and the first piece of the answer.
    static net::awaitable<made> begin(query::recent_request wanted, const services& s) {
        auto work = [wanted = std::move(wanted), log = &s.log, stopping = s.streams.stopping]() mutable {
            return query::from_steady_view(*log, [&](storage::log_snapshot snapshot, bool strict) {
                made result;
                wanted.strict = strict;
                result.answer = std::make_shared<query::recent_answer>(std::move(snapshot), wanted, stopping);
                result.more = result.answer->next(result.piece);
                return result;
            });
        };
        co_return co_await net::offload(s.streams.workers, std::move(work));
    }

  private:
    std::shared_ptr<query::recent_answer> answer_;
    net::worker_pool& workers_;
    std::string first_;
};

}  // namespace

endpoint recent_endpoint(const services& s) {
    return [s](const request& asked) -> net::awaitable<reply> {
        const parameters given(asked, {"lines"}, filter::filter_parameters());
        query::recent_request wanted;
        wanted.lines = given.whole_number("lines", 1, max_lines).value_or(wanted.lines);
        wanted.filter = filter_of(given, s);
        // What can go wrong goes wrong in the search: it is done before the answer's head says 200.
        auto first = co_await recent_body::begin(std::move(wanted), s);
        if (!first.more) co_return reply{.body = std::move(first.piece)};
        co_return reply{.body = std::make_unique<recent_body>(std::move(first.answer), s.streams.workers,
                                                              std::move(first.piece))};
    };
}

}  // namespace livelogd::http
