// SPDX-License-Identifier: MIT
// The endpoints, one file each, and what they answer from.
#pragma once

#include "daemon/alerts/alert_counts.hpp"
#include "daemon/base/time_zone.hpp"
#include "daemon/http/event_stream.hpp"
#include "daemon/http/router.hpp"
#include "daemon/ingest/accounting.hpp"
#include "daemon/ingest/policy.hpp"
#include "daemon/storage/line_ends.hpp"
#include "daemon/storage/log.hpp"
#include "daemon/summary/summaries.hpp"
#include "static/assets.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace livelogd::http {

/// What does not change while the daemon runs.
struct daemon_facts {
    std::uint64_t started = 0;  ///< seconds since 1970
    std::uint64_t max_ingest_connections = 0;
    std::uint64_t max_http_connections = 0;
};

class authenticator;

/// Everything outlives the router.
struct services {
    const storage::log& log;
    stream_sources streams;
    const ingest::current_policy& rules;  ///< whether API calls are logged
    const ingest::counters& ingested;
    storage::line_counts& lines;
    base::time_zone zone;  ///< of timestamps that name none
    std::chrono::steady_clock::duration stall;
    std::chrono::milliseconds orphan_after;  ///< a request without response is orphaned from this age on
    daemon_facts facts = {};
    summary::summaries* summaries = nullptr;        ///< null: statistics are made of records alone
    std::size_t scan_threads = 1;                   ///< that the workers of `streams` have
    const alerts::alert_counts* alerted = nullptr;  ///< null: there are none
    authenticator* who = nullptr;                   ///< null: nobody is asked for a token
};

inline constexpr const char* viewer_path = "/api/v1/logs";
inline constexpr const char* sign_in_path = "/api/v1/logs/sign-in";
inline constexpr const char* sign_out_path = "/api/v1/logs/sign-out";
inline constexpr const char* records_prefix = "/api/v1/logs/records/";

endpoint recent_endpoint(const services& s);
endpoint record_endpoint(const services& s);
endpoint requests_endpoint(const services& s);
endpoint stats_endpoint(const services& s);
endpoint stream_endpoint(const services& s);
/// `counts`: of the router that it is added to.
endpoint metrics_endpoint(const services& s, std::shared_ptr<const request_counts> counts);
endpoint openapi_endpoint();
endpoint health_endpoint();
endpoint readiness_endpoint(const services& s);

/// The viewer, its files, and the redirections to it.
void add_viewer_routes(router& routes);

/// Signing in and out, and whether somebody is.
void add_sign_in_routes(router& routes, authenticator* who);

/// All of them, on their paths.
router make_router(const services& s);

/// The filter that the parameters of a request ask for. Throws bad_request: 400 if they cannot be understood,
/// 503 for API calls while those are not logged.
filter::record_filter filter_of(const class parameters& given, const services& s);

/// A file that is part of the program, compressed for clients that take it so.
reply file_reply(const assets::asset& file, const request& asked);

/// Throws bad_request (503) while API calls are not logged.
void require_api_calls(const services& s);

}  // namespace livelogd::http
