// SPDX-License-Identifier: MIT
#include "daemon/app/entry.hpp"

#include "daemon/app/application.hpp"
#include "daemon/app/configuration.hpp"
#include "daemon/app/diagnostics.hpp"
#include "daemon/app/exit_code.hpp"
#include "daemon/app/heap.hpp"
#include "daemon/app/passed_sockets.hpp"
#include "daemon/app/service_manager.hpp"
#include "daemon/net/listen_address.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

namespace livelogd::app {
namespace {

const char* variable(const char* name) {
    return std::getenv(name);
}

/// Every stream takes a descriptor: the soft limit of many systems, 1024, is less than max_http_connections.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int run_daemon(const command_line& given, const settings& all) {
    // Files and folders get the modes that are promised, whatever the caller's mask: each is made with its
    // own mode.
    ::umask(0);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ,
                SIG_IGN);  // a limit on file sizes is then an error of write(2), which the log deals with
    raise_descriptor_limit();
    prepare_heap(all.ring_bytes + all.unwritten_max_bytes);
    application daemon(
        all, [given] { return load_settings(given, variable); }, take_passed_sockets(variable),
        service_manager(variable), report_to_stderr());
    return daemon.run();
}

int do_what_is_asked(const command_line& given) {
    using action = command_line::action;
    if (given.what == action::print_text) {
        std::cout << given.text;
        return success;
    }
    const auto all = load_settings(given, variable);
    // Also before a start: what cannot be started with is told before anything is opened.
    if (given.what != action::print_config) load_token(all);
    switch (given.what) {
        case action::print_config:
            std::cout << print_settings(all);
            return success;
        case action::check_config:
            std::cout << "the configuration is sound\n";
            return success;
        case action::print_text:
        case action::run:
            break;
    }
    return run_daemon(given, all);
}

}  // namespace

int run_program(int argc, const char* const* argv) {
    const auto report = report_to_stderr();
    const auto fail = [&](int code, const std::exception& error) {
        report(base::severity::error, error.what());
        return code;
    };
    try {
        return do_what_is_asked(parse_command_line(argc, argv));
    } catch (const configuration_error& error) {
        return fail(error.code(), error);
    } catch (const storage::log_error& error) {
        using kind = storage::log_error::kind;
        if (error.why() == kind::unsupported) return fail(bad_configuration, error);
        return fail(error.why() == kind::taken ? unavailable : io_error, error);
    } catch (const net::listen_error& error) {
        return fail(unavailable, error);
    } catch (const std::exception& error) {
        return fail(internal_error, error);
    }
}

}  // namespace livelogd::app
