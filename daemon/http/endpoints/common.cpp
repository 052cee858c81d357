// SPDX-License-Identifier: MIT
#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"

namespace livelogd::http {

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
    routes.add("/api/v1/logs/stream", stream_endpoint(s));
    routes.add("/api/v1/logs/recent", recent_endpoint(s));
    routes.add("/api/v1/logs/stats", stats_endpoint(s));
    routes.add("/api/v1/logs/requests", requests_endpoint(s));
    routes.add_family(records_prefix, record_endpoint(s));
    routes.add("/healthz", health_endpoint());
    routes.add("/readyz", readiness_endpoint(s));
    return routes;
}

}  // namespace livelogd::http
