// SPDX-License-Identifier: MIT
#include "daemon/app/option_table.hpp"

#include "daemon/app/option_values.hpp"
#include "protocol/redaction.hpp"
#include "protocol/secret_shapes.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace livelogd::app {
namespace {

using namespace std::chrono_literals;
using values = std::vector<std::string>;

std::string default_redact_list() {
    std::string list;
    for (const auto key : protocol::default_redact_keys())
        list += (list.empty() ? "" : ",") + std::string(key);
    return list;
}

template <auto Member>
void set_text(settings& into, const values& v) {
    into.*Member = v.front();
}
template <auto Member>
std::string text(const settings& from) {
    return show_text(from.*Member);
}
template <auto Member>
void set_switch(settings& into, const values& v) {
    into.*Member = read_boolean(v.front());
}
template <auto Member>
std::string truth(const settings& from) {
    return from.*Member ? "true" : "false";
}
template <auto Member, std::uint64_t Least, std::uint64_t Most>
void set_number(settings& into, const values& v) {
    into.*Member = read_number(v.front(), Least, Most);
}
template <auto Member>
std::string number(const settings& from) {
    return std::to_string(from.*Member);
}
template <auto Member, std::uint64_t Least, std::uint64_t Most = (1ull << 50)>
void set_size(settings& into, const values& v) {
    into.*Member = read_size(v.front(), Least, Most);
}
template <auto Member>
std::string size(const settings& from) {
    return show_size(from.*Member);
}
template <auto Member, std::int64_t LeastMs>
void set_duration(settings& into, const values& v) {
    into.*Member = read_duration(v.front(), std::chrono::milliseconds(LeastMs));
}
template <auto Member>
std::string duration(const settings& from) {
    return show_duration(from.*Member);
}
template <auto Member>
void set_list(settings& into, const values& v) {
    into.*Member = v;
}
template <auto Member>
std::string list(const settings& from) {
    return show_list(from.*Member);
}
template <auto Member>
void set_mode(settings& into, const values& v) {
    into.*Member = read_mode(v.front());
}
template <auto Member>
std::string mode(const settings& from) {
    return show_mode(from.*Member);
}

void set_sync(settings& into, const values& v) {
    using storage::sync_policy;
    const auto& word = v.front();
    if (word == "none") {
        into.sync = sync_policy::none;
    } else if (word == "interval") {
        into.sync = sync_policy::interval;
    } else if (word == "always") {
        into.sync = sync_policy::always;
    } else {
        throw std::invalid_argument("must be none, interval or always");
    }
}

std::string sync(const settings& from) {
    using storage::sync_policy;
    switch (from.sync) {
        case sync_policy::none:
            return show_text("none");
        case sync_policy::always:
            return show_text("always");
        case sync_policy::interval:
            break;
    }
    return show_text("interval");
}

void set_log_bodies(settings& into, const values& v) {
    using protocol::body_logging;
    const auto& word = v.front();
    if (word == "full") {
        into.log_bodies = body_logging::full;
    } else if (word == "truncated") {
        into.log_bodies = body_logging::truncated;
    } else if (word == "off") {
        into.log_bodies = body_logging::off;
    } else {
        throw std::invalid_argument("must be full, truncated or off");
    }
}

std::string log_bodies(const settings& from) {
    using protocol::body_logging;
    switch (from.log_bodies) {
        case body_logging::truncated:
            return show_text("truncated");
        case body_logging::off:
            return show_text("off");
        case body_logging::full:
            break;
    }
    return show_text("full");
}

void set_secret_exceptions(settings& into, const values& v) {
    for (const std::string& name : v) {
        if (protocol::secret_rule_of(name)) continue;
        std::string all;
        for (const auto known : protocol::secret_rule_names)
            all.append(all.empty() ? "" : ", ").append(known);
        std::string why = "there is no rule \"";
        throw std::invalid_argument(why.append(name).append("\"; the rules are ").append(all));
    }
    into.redact_secrets_except = v;
}

using s = settings;

template <auto Member>
void take(settings& into, const settings& from) {
    into.*Member = from.*Member;
}
constexpr auto at_start = nullptr;

const std::string redact_default = default_redact_list();

const std::array table{
    option{"log_dir", "./logs", "Directory of the log files. Made if it does not exist.", false, false,
           at_start, set_text<&s::log_dir>, text<&s::log_dir>},
    option{"log_max_bytes", "10MiB", "A log file is sealed before a record would take it over this size.",
           false, false, take<&s::log_max_bytes>, set_size<&s::log_max_bytes, 1>, size<&s::log_max_bytes>},
    option{"log_backup_count", "5",
           "Sealed log files to keep. More are kept while they hold no more than this many full ones.", false,
           false, take<&s::log_backup_count>, set_number<&s::log_backup_count, 0, 1'000'000>,
           number<&s::log_backup_count>},
    option{"log_total_bytes", "0",
           "Most bytes that all log files may take on the disk: the oldest sealed ones go. At least twice "
           "log_max_bytes; 0: no such limit.",
           false, false, take<&s::log_total_bytes>, set_size<&s::log_total_bytes, 0>,
           size<&s::log_total_bytes>},
    option{
        "log_max_age", "0s",
        "Sealed log files go when their last record is older, such as 30d. A file that is being written is "
        "sealed when its first record is an eighth of that old. 0: no such limit.",
        false, false, take<&s::log_max_age>, set_duration<&s::log_max_age, 0>, duration<&s::log_max_age>},
    option{"log_compress", "false",
           "Compress sealed log files with zstd. They are found, streamed and counted as before.", false,
           true, take<&s::log_compress>, set_switch<&s::log_compress>, truth<&s::log_compress>},
    option{"log_api_calls", "true",
           "Keep request and response records. Without them there are no statistics.", false, true,
           take<&s::log_api_calls>, set_switch<&s::log_api_calls>, truth<&s::log_api_calls>},
    option{"log_bodies", "full",
           "What is kept of request_body and response_body: full, truncated (long strings are cut), or off "
           "(only models, tokens and times).",
           false, false, take<&s::log_bodies>, set_log_bodies, log_bodies},
    option{"log_body_bytes", "4KiB", "With log_bodies = truncated: the longest string in a body.", false,
           false, take<&s::log_body_bytes>, set_size<&s::log_body_bytes, 256>, size<&s::log_body_bytes>},
    option{"socket", "",
           "Unix socket that takes records. Unset: /run/livelogd/ingest.sock if that can be made, else "
           "$XDG_RUNTIME_DIR/livelogd/ingest.sock.",
           false, false, at_start, set_text<&s::socket>, text<&s::socket>},
    option{"socket_mode", "0660", "Permissions of the Unix sockets, octal.", false, false, at_start,
           set_mode<&s::socket_mode>, mode<&s::socket_mode>},
    option{"socket_group", "", "Group of the Unix sockets. Unset: the daemon's own.", false, false, at_start,
           set_text<&s::socket_group>, text<&s::socket_group>},
    option{"max_record_bytes", "16MiB", "Longer lines are skipped, and told in a record.", false, false,
           at_start, set_size<&s::max_record_bytes, 1024, (1ull << 30)>, size<&s::max_record_bytes>},
    option{"max_ingest_connections", "256", "Senders at a time; more wait until one has gone.", false, false,
           at_start, set_number<&s::max_ingest_connections, 1, 100'000>, number<&s::max_ingest_connections>},
    option{"ingest_buffer_bytes", "64MiB", "Memory that half-received lines of all senders share.", false,
           false, at_start, set_size<&s::ingest_buffer_bytes, 65536>, size<&s::ingest_buffer_bytes>},
    option{"sync", "interval",
           "When records are forced to the disk: none (left to the system), interval, or always (at once; "
           "records that "
           "arrive meanwhile share the next sync).",
           false, false, at_start, set_sync, sync},
    option{"sync_interval", "1s",
           "With sync = interval: the longest time a record waits (or 16 MiB, if sooner).", false, false,
           at_start, set_duration<&s::sync_interval, 1>, duration<&s::sync_interval>},
    option{"unwritten_max_bytes", "64MiB",
           "Accepted records that may wait in memory while storing fails (while it works, 8 MiB at most); "
           "then senders have to wait.",
           false, false, at_start, set_size<&s::unwritten_max_bytes, 65536>, size<&s::unwritten_max_bytes>},
    option{"orphan_after", "10min",
           "A request without a response counts as in flight when it is younger than this, else as orphaned.",
           false, false, at_start, set_duration<&s::orphan_after, 1>, duration<&s::orphan_after>},
    option{"listen", "127.0.0.1:5000", "Where HTTP is served: ADDRESS:PORT or unix:PATH. Repeatable.", true,
           false, at_start, set_list<&s::listen>, list<&s::listen>},
    option{
        "allowed_hosts", "",
        "Host names under which browsers may reach the daemon, beside localhost and the loopback addresses.",
        true, false, take<&s::allowed_hosts>, set_list<&s::allowed_hosts>, list<&s::allowed_hosts>},
    option{"cors_allowed_origins", "",
           "Origins whose pages may read the logs, such as http://localhost:3000; * only with a token or "
           "allow_unauthenticated.",
           true, false, take<&s::cors_allowed_origins>, set_list<&s::cors_allowed_origins>,
           list<&s::cors_allowed_origins>},
    option{"allow_unauthenticated", "false",
           "Listen on addresses that other machines can reach, although nobody has to sign in.", false, true,
           at_start, set_switch<&s::allow_unauthenticated>, truth<&s::allow_unauthenticated>},
    option{
        "auth_token_file", "",
        "File with a token of at least 16 characters, unreadable for other users. Then every address but "
        "/healthz wants 'Authorization: Bearer TOKEN', or a browser that has signed in. What the file holds "
        "is read again at SIGHUP.",
        false, false, at_start, set_text<&s::auth_token_file>, text<&s::auth_token_file>},
    option{
        "auth_unix_sockets", "true",
        "Ask for the token on Unix sockets too. false: who may connect to them (socket_mode) may read; not "
        "for a socket that a proxy uses.",
        false, true, at_start, set_switch<&s::auth_unix_sockets>, truth<&s::auth_unix_sockets>},
    option{"session_ttl", "168h", "A browser that has signed in has to do so again after this time.", false,
           false, take<&s::session_ttl>, set_duration<&s::session_ttl, 1000>, duration<&s::session_ttl>},
    option{"session_idle_timeout", "24h", "The same, after this time without a request or an open stream.",
           false, false, take<&s::session_idle_timeout>, set_duration<&s::session_idle_timeout, 1000>,
           duration<&s::session_idle_timeout>},
    option{
        "trusted_proxies", "loopback,unix",
        "Proxies that are believed whom they ask for (X-Forwarded-For, X-Forwarded-Proto): loopback, unix, "
        "addresses, networks such as 10.0.0.0/8.",
        true, false, take<&s::trusted_proxies>, set_list<&s::trusted_proxies>, list<&s::trusted_proxies>},
    option{"max_http_connections", "2048", "HTTP connections at a time; more are answered with 503.", false,
           false, at_start, set_number<&s::max_http_connections, 1, 1'000'000>,
           number<&s::max_http_connections>},
    option{"stall_timeout", "60s",
           "An HTTP client that takes nothing for this long is closed; so is an idle connection.", false,
           false, at_start, set_duration<&s::stall_timeout, 100>, duration<&s::stall_timeout>},
    option{"header_limit", "8KiB", "Longest header of an HTTP request.", false, false, at_start,
           set_size<&s::header_limit, 256>, size<&s::header_limit>},
    option{"header_timeout", "10s", "Longest time for an HTTP request's header to arrive.", false, false,
           at_start, set_duration<&s::header_timeout, 100>, duration<&s::header_timeout>},
    option{
        "ring_bytes", "32MiB",
        "Memory for the newest records, from which live streams are served. At least twice max_record_bytes.",
        false, false, at_start, set_size<&s::ring_bytes, 1>, size<&s::ring_bytes>},
    option{"summaries", "true",
           "Keep summaries beside sealed files, to answer statistics without reading all records. They can "
           "be deleted at any time.",
           false, true, at_start, set_switch<&s::summaries>, truth<&s::summaries>},
    option{"timezone", "", "Zone of timestamps that name none, such as Europe/Berlin. Unset: the system's.",
           false, false, at_start, set_text<&s::timezone>, text<&s::timezone>},
    option{"redact_keys", redact_default,
           "Values of these keys are replaced before a record is stored or streamed. Whole names, any case, "
           "- and _ "
           "alike.",
           true, false, take<&s::redact_keys>, set_list<&s::redact_keys>, list<&s::redact_keys>},
    option{"redact_secrets", "true",
           "Replace what is a secret by its form, wherever it stands in a record: API keys of known "
           "services, bearer and basic credentials, private keys, tokens and passwords in addresses.",
           false, true, take<&s::redact_secrets>, set_switch<&s::redact_secrets>, truth<&s::redact_secrets>},
    option{"redact_secrets_except", "",
           "Rules of redact_secrets that are not applied, such as jwt or url_token (docs/security.md has "
           "their names).",
           true, false, take<&s::redact_secrets_except>, set_secret_exceptions,
           list<&s::redact_secrets_except>},
    option{"threads", "1", "Threads that serve connections.", false, false, at_start,
           set_number<&s::threads, 1, 256>, number<&s::threads>},
    option{"scan_threads", "2", "Threads that read log files for queries.", false, false, at_start,
           set_number<&s::scan_threads, 1, 256>, number<&s::scan_threads>},
};

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
        }
    }
    return row.back();
}

}  // namespace

std::span<const option> option_table() {
    return table;
}

const option* find_option(std::string_view name) {
    const auto it = std::ranges::find(table, name, &option::name);
    return it == table.end() ? nullptr : &*it;
}

std::string flag_of(const option& o) {
    std::string flag = "--" + std::string(o.name);
    std::ranges::replace(flag, '_', '-');
    return flag;
}

std::string variable_of(const option& o) {
    std::string variable = "LIVELOGD_" + std::string(o.name);
    for (char& c : variable) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return variable;
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        auto part = text.substr(0, comma);
        text.remove_prefix(std::min(comma + 1, text.size()));
        while (part.starts_with(' '))
            part.remove_prefix(1);
        while (part.ends_with(' '))
            part.remove_suffix(1);
        if (!part.empty()) parts.emplace_back(part);
    }
    return parts;
}

std::string_view nearest_option(std::string_view unknown) {
    const auto near = std::ranges::min_element(
        table, {}, [unknown](const option& o) { return edit_distance(unknown, o.name); });
    constexpr std::size_t typing_errors = 3;
    return edit_distance(unknown, near->name) <= typing_errors ? near->name : std::string_view{};
}

}  // namespace livelogd::app
