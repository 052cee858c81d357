// SPDX-License-Identifier: MIT
// The endpoints, one file each, and what they answer from.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/http/event_stream.hpp"
#include "daemon/http/router.hpp"
#include "daemon/ingest/accounting.hpp"
#include "daemon/ingest/policy.hpp"
#include "daemon/storage/line_ends.hpp"
#include "daemon/storage/log.hpp"

#include <chrono>

namespace livelogd::http {

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
};

inline constexpr const char* viewer_path = "/api/v1/logs";
inline constexpr const char* records_prefix = "/api/v1/logs/records/";

endpoint recent_endpoint(const services& s);
endpoint record_endpoint(const services& s);
endpoint requests_endpoint(const services& s);
endpoint stats_endpoint(const services& s);
endpoint stream_endpoint(const services& s);
endpoint health_endpoint();
endpoint readiness_endpoint(const services& s);

/// The viewer, its files, and the redirections to it.
void add_viewer_routes(router& routes);

/// All of them, on their paths.
router make_router(const services& s);

/// The filter that the parameters of a request ask for. Throws bad_request: 400 if they cannot be understood,
/// 503 for API calls while those are not logged.
filter::record_filter filter_of(const class parameters& given, const services& s);

/// Throws bad_request (503) while API calls are not logged.
void require_api_calls(const services& s);

}  // namespace livelogd::http
