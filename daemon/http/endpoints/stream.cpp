// SPDX-License-Identifier: MIT
// GET /api/v1/logs/stream: filters, after=ID, replay=N (0 to 100000); the header Last-Event-ID wins over
// `after`.
#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"

namespace livelogd::http {
namespace {

constexpr std::uint64_t max_replay = 100000;

}  // namespace

endpoint stream_endpoint(const services& s) {
    return [s](const request& asked) -> net::awaitable<reply> {
        const parameters given(asked, {"after", "replay"}, filter::filter_parameters());
        stream_options options;
        options.filter = filter_of(given, s);
        options.after = given.whole_number("after", 0, protocol::max_record_id);
        options.replay = given.whole_number("replay", 0, max_replay);
        if (const auto last = asked.header("last-event-id"); last && !last->empty()) {
            options.after = protocol::parse_record_id(*last);
            if (!options.after) {
                throw bad_request::in_parameter(
                    "Last-Event-ID",
                    "the header Last-Event-ID must be the id of an event, a whole number (leave it out "
                    "to start with the next record)");
            }
        }
        options.stall = s.stall;
        options.granted = asked.granted;
        stream_body body = [s, options](std::shared_ptr<connection> client,
                                        std::string head) -> net::awaitable<void> {
            const auto stream = std::make_shared<event_stream>(std::move(client), s.streams, options);
            co_await stream->run(std::move(head));
        };
        co_return reply{.content_type = "text/event-stream",
                        .headers = {{"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}},
                        .body = std::move(body)};
    };
}

}  // namespace livelogd::http
