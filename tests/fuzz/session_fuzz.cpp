// SPDX-License-Identifier: MIT
// Any bytes to the real HTTP session, router and endpoints over a small log. Every answer is well formed,
// there is at most one for each request, a request that two readers could see differently is refused, nothing
// is read after a refusal, and it all does not depend on how the bytes were split. The first bytes of the
// input choose the split and the limit.
#include "daemon/http/endpoints.hpp"
#include "daemon/http/session.hpp"
#include "tests/fuzz/http_model.hpp"
#include "tests/fuzz/split_connection.hpp"
#include "tests/fuzz/strict_json.hpp"
#include "tests/support/live_log.hpp"

#include <boost/asio/co_spawn.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace livelogd;
using fuzz::require;

constexpr std::string_view other_host = "logs.example";
constexpr std::string_view other_origin = "http://app.example";

/// Made once for all inputs: nothing that is asked over HTTP changes it.
struct world {
    world() {
        access.store(std::make_shared<const http::access_rules>(
            http::access_rules{.allowed_hosts = {std::string(other_host)},
                               .cors_allowed_origins = {std::string(other_origin)}}));
        for (std::uint64_t n = 0; n < 30; n += 10) {
            std::vector<std::string> lines;
            for (std::uint64_t i = n; i < n + 10; ++i) {
                lines.push_back(test::numbered(i, i % 3 == 0 ? R"(,"level":"ERROR","type":"x")"
                                                  : i % 3 == 1
                                                      ? R"(,"type":"response","duration_ms":1.5)"
                                                      : R"(,"type":"request","endpoint":"/e\u2028")"));
            }
            log.append(lines);
        }
    }

    // A ring too small for all, so that streams read from the files too.
    test::live_log log{{.ring_bytes = 1500}};
    std::stop_source stopping;
    ingest::current_policy rules{std::make_shared<const ingest::policy>()};
    http::current_access access;
    http::router routes =
        http::make_router({.log = *log.log,
                           .streams = {*log.log, log.live, log.files, log.matches, log.counts, log.zone,
                                       log.workers, log.workers, stopping.get_token(), log.served},
                           .rules = rules,
                           .ingested = log.count,
                           .lines = log.counts,
                           .zone = base::time_zone::named("UTC"),
                           .stall = std::chrono::seconds(60),
                           .orphan_after = std::chrono::minutes(10)});
};

/// How many answers have begun.
std::size_t answers_in(std::string_view output) {
    constexpr std::string_view beginning = "HTTP/1.1 ";
    std::size_t count = 0;
    for (auto at = output.find(beginning); at != output.npos; at = output.find(beginning, at + 1))
        ++count;
    return count;
}

std::size_t complete_among(const std::vector<fuzz::sent_request>& asked) {
    return static_cast<std::size_t>(std::ranges::count_if(asked, [](const auto& r) { return r.complete; }));
}

/// Everything that a peer gets who sends `bytes`, and stays until `expected` answers have begun.
std::string talk(world& w, std::string_view bytes, std::size_t expected, std::size_t header_limit,
                 std::size_t read_step, std::size_t write_step) {
    using namespace std::chrono_literals;
    auto& context = w.log.context;
    auto client = std::make_shared<fuzz::split_connection>(context, bytes, read_step, write_step);
    bool over = false;
    const http::session_limits limits{.header_bytes = header_limit, .header_time = 60s, .stall = 60s};
    net::asio::co_spawn(context, http::run_session(client, w.routes, w.access, limits, false),
                        [&over](const std::exception_ptr& error) {
                            require(!error, "a session throws nothing");
                            over = true;
                        });
    std::size_t seen = 0;
    int owed_turns = 200;
    for (int patience = 20; !over;) {
        context.restart();
        context.poll();
        if (over) break;
        const auto& output = client->output();
        const bool streams = output.rfind("\r\nContent-Type: text/event-stream\r\n") != std::string::npos;
        // The session also watches its peer while an answer is made elsewhere. Nothing comes after one that
        // closes.
        const bool closes = output.rfind("\r\nConnection: close\r\n") != std::string::npos;
        const bool owes = !closes && answers_in(output) < expected && owed_turns-- > 0;
        if (client->waits_for_input() && !owes) {
            // A stream says what it has while it watches for its peer to leave.
            const bool says_more = output.size() != seen && patience-- > 0;
            if (!streams || !says_more) client->peer_leaves();
            seen = output.size();
        }
        context.restart();
        context.run_one_for(streams ? 1ms : 1000ms);
    }
    // The watch on a stream's peer may end a little later.
    context.restart();
    context.poll();
    require(client->closed(), "a session closes its connection");
    require(!client->written_after_end(), "nothing is written after the end");
    return client->output();
}

void check_fields(const fuzz::answer& got) {
    require(got.field("x-content-type-options") == "nosniff", "content is not guessed");
    require(got.field("cross-origin-resource-policy") == "same-origin", "not for other sites");
    require(got.field("referrer-policy") == "no-referrer", "no referrer");
    require(got.field("vary") == "Origin", "answers differ by origin");
    require(got.field("cache-control").starts_with("no-"), "nothing is cached");
    require(got.field("access-control-allow-credentials").empty(), "no credentials");
    const auto origin = got.field("access-control-allow-origin");
    require(origin.empty() || origin == other_origin, "only the origin that is allowed");
    if (got.status == 405) require(!got.field("allow").empty(), "405 tells what is allowed");
}

void check_answer(const fuzz::answer& got, const fuzz::sent_request& asked) {
    check_fields(got);
    if (!asked.complete || !asked.sound)
        require(got.status >= 400 && got.closes(), "what readers could see differently is refused");
    if (got.status < 400) {
        require(asked.asks_this_machine(other_host), "only this machine is asked");
        require(asked.method == "GET" || asked.method == "HEAD" || asked.method == "OPTIONS"
                    || fuzz::sends_form(asked),
                "only reading, and forms");
        const auto sites = asked.all("sec-fetch-site");
        const auto origins = asked.all("origin");
        if (!sites.empty() && sites[0] == "cross-site" && !(!origins.empty() && origins[0] == other_origin)) {
            const auto modes = asked.all("sec-fetch-mode");
            require(!modes.empty() && modes[0] == "navigate", "other sites may only link");
            require(!got.is_stream() && got.field("content-type") != "application/json", "to the viewer");
        }
    }
    if (got.is_stream()) {
        fuzz::check_events(got.body);
    } else if (got.field("content-type") == "application/json" && !got.body.empty()) {
        // In an object, because that is what the second reader reads.
        const auto read = fuzz::strict_json::object("{\"v\":" + got.body + "}", 130);
        require(read.has_value(), "JSON is JSON");
        if (got.status >= 400) {
            const auto& error = read->members[0].value;
            require(error.kind == '{' && error.members[0].key == "error", "an error is told in JSON");
        }
    }
}

std::vector<fuzz::answer> check_answers(std::string_view output,
                                        const std::vector<fuzz::sent_request>& asked) {
    std::vector<fuzz::answer> answers;
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    while (!output.empty()) {
        if (output.starts_with(go_on)) {
            output.remove_prefix(go_on.size());
            continue;
        }
        require(answers.size() < asked.size(), "no more answers than requests");
        require(answers.empty() || !answers.back().closes(), "nothing after an answer that closes");
        const auto& request = asked[answers.size()];
        answers.push_back(fuzz::take_answer(output, request.method == "HEAD"));
        check_answer(answers.back(), request);
    }
    if (answers.empty() || !answers.back().closes()) {
        require(answers.size() == complete_among(asked), "every request is answered");
    }
    return answers;
}

/// What of an answer must not depend on how the request arrived. Why one is refused may: the first thing
/// wrong is told.
bool alike(const fuzz::answer& a, const fuzz::answer& b) {
    if (a.status >= 400 && a.closes() && b.status >= 400 && b.closes()) return true;
    if (a.status != b.status || a.closes() != b.closes()) return false;
    return a.is_stream() || a.body == b.body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static world w;
    if (size < 3) return 0;
    const std::string input(reinterpret_cast<const char*>(data), size);
    const std::string_view bytes = std::string_view(input).substr(3);
    const std::size_t limit = 64U + data[0] * 32U;
    const auto asked = fuzz::read_requests(bytes);
    constexpr auto at_once = fuzz::split_connection::no_step;
    const auto expected = complete_among(asked);
    const auto answers = check_answers(talk(w, bytes, expected, limit, at_once, at_once), asked);
    const auto pieces =
        check_answers(talk(w, bytes, expected, limit, 1U + data[1], 1U + std::size_t{data[2]} * 8U), asked);
    require(std::ranges::equal(answers, pieces, alike), "the split does not matter");
    return 0;
}
