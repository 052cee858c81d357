// SPDX-License-Identifier: MIT
#include "daemon/app/configuration.hpp"

#include "daemon/app/alert_settings.hpp"
#include "daemon/app/config_file.hpp"
#include "daemon/app/exit_code.hpp"
#include "daemon/app/option_table.hpp"
#include "daemon/app/option_values.hpp"
#include "daemon/base/time_zone.hpp"
#include "daemon/http/auth/proxies.hpp"
#include "daemon/http/auth/token_file.hpp"
#include "daemon/net/listen_address.hpp"
#include "daemon/storage/zstd_frames.hpp"

#include <grp.h>

#include <algorithm>

namespace livelogd::app {
namespace {

void set_value(const option& o, settings& into, const std::vector<std::string>& values,
               const std::string& place, int code) {
    try {
        o.set(into, values);
    } catch (const std::invalid_argument& error) {
        throw configuration_error(code, place + ": " + error.what() + ", not " + quote_all(values));
    }
}

std::vector<std::string> values_of(const option& o, std::string_view text) {
    return o.is_list ? split_list(text) : std::vector<std::string>{std::string(text)};
}

/// A list given as several flags, some of them with commas.
std::vector<std::string> join_lists(const std::vector<std::string>& texts) {
    std::vector<std::string> all;
    for (const auto& text : texts)
        std::ranges::move(split_list(text), std::back_inserter(all));
    return all;
}

[[noreturn]] void refuse(const std::string& what) {
    throw configuration_error(bad_configuration, what);
}

/// Scheme, host and port as a browser sends them in Origin: no path, and nothing to be filled in.
bool is_origin(std::string_view text) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!text.starts_with(scheme)) continue;
        text.remove_prefix(scheme.size());
        return !text.empty() && text.find_first_of("/*?#@ ") == std::string_view::npos;
    }
    return false;
}

/// `reader` throws std::exception if the value of the option cannot be used.
template <class Reader>
void check_value(std::string_view name, Reader&& reader) {
    try {
        reader();
    } catch (const std::exception& error) {
        refuse(std::string(name) + ": " + error.what());
    }
}

}  // namespace

settings load_settings(const command_line& given, environment variables) {
    file_contents contents;
    if (!given.config_file.empty()) contents = read_config_file(given.config_file);
    const auto& file = contents.options;

    settings all;
    for (const auto& o : option_table()) {
        const auto flag = given.flags.find(o.name);
        const char* variable = variables(variable_of(o).c_str());
        const auto key = file.find(o.name);
        if (flag != given.flags.end()) {
            set_value(o, all, o.is_list ? join_lists(flag->second) : flag->second, flag_of(o), usage);
        } else if (variable != nullptr) {
            set_value(o, all, values_of(o, variable), "environment variable " + variable_of(o),
                      bad_configuration);
        } else if (key != file.end()) {
            set_value(o, all, key->second.values, key->second.place, bad_configuration);
        } else {
            set_value(o, all, values_of(o, o.default_value), std::string(o.name), internal_error);
        }
    }
    for (const auto& values : contents.alerts)
        all.alert_rules.push_back(read_alert(values));
    check_settings(all);
    check_alerts(all.alert_rules, contents.alerts);
    return all;
}

void check_settings(const settings& all) {
    if (all.log_dir.empty()) refuse("log_dir: must name a directory");
    if (all.ring_bytes / 2 < all.max_record_bytes) {
        refuse("ring_bytes: must be at least twice max_record_bytes ("
               + std::to_string(2 * all.max_record_bytes) + " bytes), not " + std::to_string(all.ring_bytes));
    }
    if (all.log_total_bytes > 0 && all.log_total_bytes / 2 < all.log_max_bytes) {
        refuse("log_total_bytes: must be at least twice log_max_bytes ("
               + std::to_string(2 * all.log_max_bytes) + " bytes), or 0 for no such limit");
    }
    constexpr std::chrono::hours longest_age(24 * 365 * 100);
    if (all.log_max_age.count() > 0
        && (all.log_max_age < std::chrono::seconds(1) || all.log_max_age > longest_age)) {
        refuse("log_max_age: must be from 1s to 36500d, or 0 for no such limit");
    }
    if (all.log_compress && !storage::zstd_is_built_in()) {
        refuse(
            "log_compress: this livelogd was built without zstd; set it to false, or use one that was built "
            "with -DLIVELOGD_ZSTD=ON");
    }
    if (all.listen.empty()) refuse("listen: must name at least one address");
    if (all.socket.size() > net::max_unix_path) {
        refuse("socket: a socket's path may have at most " + std::to_string(net::max_unix_path) + " bytes");
    }
    for (const auto& text : all.listen) {
        check_value("listen", [&] { check_reach(all, net::listen_address::parse(text)); });
    }
    if (!all.timezone.empty()) check_value("timezone", [&] { base::time_zone::named(all.timezone); });
    if (!all.socket_group.empty() && ::getgrnam(all.socket_group.c_str()) == nullptr) {
        refuse("socket_group: there is no group '" + all.socket_group + "'");
    }
    check_value("trusted_proxies", [&] { http::trusted_proxies{all.trusted_proxies}; });
    for (const auto& origin : all.cors_allowed_origins) {
        if (origin == "*" && !all.allow_unauthenticated && all.auth_token_file.empty()) {
            refuse(
                "cors_allowed_origins: * lets every page read the logs; name the origins, or ask for a token "
                "(auth_token_file), or set allow_unauthenticated = true if that is meant");
        }
        if (origin != "*" && !is_origin(origin)) {
            refuse("cors_allowed_origins: '" + origin
                   + "' is no origin (scheme, host and port: http://localhost:3000)");
        }
    }
}

void check_reach(const settings& all, const net::listen_address& address) {
    if (address.is_loopback() || all.allow_unauthenticated || !all.auth_token_file.empty()) return;
    throw std::invalid_argument("'" + address.text() + "' can be reached by other machines, and nobody has to sign in: "
                                "keep to 127.0.0.1, or ask for a token (auth_token_file), or set "
                                "allow_unauthenticated = true if that is meant");
}

std::optional<std::string> load_token(const settings& all) {
    if (all.auth_token_file.empty()) return std::nullopt;
    try {
        return http::read_token_file(all.auth_token_file);
    } catch (const http::token_file_error& error) {
        refuse(std::string("auth_token_file: ") + error.what());
    }
}

std::string print_settings(const settings& all) {
    constexpr std::size_t width = 100;
    std::string text = "# livelogd's configuration: every option with its value.\n";
    for (const auto& o : option_table()) {
        text += "\n#";
        std::size_t column = 1;
        std::string_view rest = o.help;
        while (!rest.empty()) {
            const auto end = std::min(rest.find(' '), rest.size());
            if (column + 1 + end > width) {
                text += "\n#";
                column = 1;
            }
            text += " " + std::string(rest.substr(0, end));
            column += 1 + end;
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        text += "\n" + std::string(o.name) + " = " + o.show(all) + "\n";
    }
    text += alert_explanation();
    for (const auto& rule : all.alert_rules)
        text += "\n" + show_alert(rule);
    return text;
}

std::vector<std::string_view> changed_options(const settings& before, const settings& after) {
    std::vector<std::string_view> names;
    for (const auto& o : option_table()) {
        if (o.show(before) != o.show(after)) names.push_back(o.name);
    }
    return names;
}

}  // namespace livelogd::app
