// SPDX-License-Identifier: MIT
#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"

namespace livelogd::http {
namespace {

bool accepts_gzip(const request& asked) {
    const auto accepted = asked.header("accept-encoding").value_or("");
    const auto at = accepted.find("gzip");
    return at != std::string_view::npos && !accepted.substr(at).starts_with("gzip;q=0");
}

}  // namespace

reply file_reply(const assets::asset& file, const request& asked) {
    reply answer{.content_type = std::string(file.content_type)};
    answer.headers.emplace_back("Vary", "Accept-Encoding");
    if (accepts_gzip(asked)) {
        answer.headers.emplace_back("Content-Encoding", "gzip");
        answer.body = file.gzip;
    } else {
        answer.body = file.bytes;
    }
    return answer;
}

void require_api_calls(const services& s) {
    if (s.rules.load()->log_api_calls) return;
    throw bad_request(503, "Logger not available", {},
                      "API calls are not logged: set log_api_calls = true in the daemon's configuration, or "
                      "start it with --log-api-calls=true");
}

filter::record_filter filter_of(const parameters& given, const services& s) {
    filter::filter_words words;
    for (const std::string_view name : filter::filter_parameters())
        filter::values_of(words, name) = given.all(name);
    try {
        filter::record_filter filter(words, base::now_us(), s.zone);
        if (filter.asks_for_api_calls()) require_api_calls(s);
        return filter;
    } catch (const filter::filter_error& error) {
        throw bad_request::in_parameter(error.parameter(), error.what(), error.at());
    }
}

router make_router(const services& s) {
    router routes;
    add_viewer_routes(routes);
    add_sign_in_routes(routes, s.who);
    routes.add("/api/v1/logs/stream", stream_endpoint(s));
    routes.add("/api/v1/logs/recent", recent_endpoint(s), timing::measured);
    routes.add("/api/v1/logs/stats", stats_endpoint(s), timing::measured);
    routes.add("/api/v1/logs/requests", requests_endpoint(s), timing::measured);
    routes.add_family(records_prefix, record_endpoint(s), timing::measured);
    routes.add("/api/v1/logs/openapi.json", openapi_endpoint());
    routes.add("/healthz", health_endpoint(), timing::unmeasured, audience::anyone);
    routes.add("/readyz", readiness_endpoint(s));
    routes.add("/metrics", metrics_endpoint(s, routes.counts()));
    return routes;
}

}  // namespace livelogd::http
