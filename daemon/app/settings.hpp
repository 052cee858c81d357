// SPDX-License-Identifier: MIT
// What the operator can set, as values.
#pragma once

#include "daemon/alerts/alert_rule.hpp"
#include "daemon/storage/log.hpp"
#include "protocol/bodies.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace livelogd::app {

/// The defaults are those of the option table (option_table.cpp), which is the only place that names them.
struct settings {
    std::string log_dir;
    std::uint64_t log_max_bytes = 0;
    std::uint64_t log_backup_count = 0;
    std::uint64_t log_total_bytes = 0;         ///< 0: no such limit
    std::chrono::milliseconds log_max_age{0};  ///< 0: no such limit
    bool log_compress = false;
    bool log_api_calls = false;
    std::string socket;  ///< empty: the first default place where it can be made
    std::uint64_t socket_mode = 0;
    std::string socket_group;  ///< empty: the daemon's own
    std::uint64_t max_record_bytes = 0;
    std::uint64_t max_ingest_connections = 0;
    std::uint64_t ingest_buffer_bytes = 0;
    storage::sync_policy sync = storage::sync_policy::interval;
    std::chrono::milliseconds sync_interval{0};
    std::uint64_t unwritten_max_bytes = 0;
    std::chrono::milliseconds orphan_after{0};
    std::vector<std::string> listen;
    std::vector<std::string> allowed_hosts;
    std::vector<std::string> cors_allowed_origins;
    bool allow_unauthenticated = false;
    std::string auth_token_file;  ///< empty: nobody is asked for a token
    bool auth_unix_sockets = false;
    std::chrono::milliseconds session_ttl{0};
    std::chrono::milliseconds session_idle_timeout{0};
    std::vector<std::string> trusted_proxies;
    std::uint64_t max_http_connections = 0;
    std::chrono::milliseconds stall_timeout{0};
    std::uint64_t header_limit = 0;
    std::chrono::milliseconds header_timeout{0};
    std::uint64_t ring_bytes = 0;
    bool summaries = false;
    std::string timezone;  ///< empty: the system's
    std::vector<std::string> redact_keys;
    bool redact_secrets = false;
    std::vector<std::string> redact_secrets_except;
    protocol::body_logging log_bodies = protocol::body_logging::full;
    std::uint64_t log_body_bytes = 0;
    std::uint64_t threads = 0;
    std::uint64_t scan_threads = 0;
    std::vector<alerts::alert_rule> alert_rules;  ///< tables of the file; no option of the table names them
};

}  // namespace livelogd::app
