// SPDX-License-Identifier: MIT
#include "daemon/app/entry.hpp"

#include "daemon/app/application.hpp"
#include "daemon/app/configuration.hpp"
#include "daemon/app/diagnostics.hpp"
#include "daemon/app/exit_code.hpp"
#include "daemon/app/passed_sockets.hpp"
#include "daemon/app/service_manager.hpp"
#include "daemon/net/listen_address.hpp"

#include <malloc.h>
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

/// Batches of records are made and freed all the time, of some hundred KiB each. By default glibc gives each
/// back to the system, and a tenth of the work is page faults. They are made by one thread and freed by
/// another: with an arena for each thread every one of them would keep as much as all need together, 30 MiB
/// in a flood. Allocations are few enough to share one.
void keep_freed_memory() {
    constexpr int largest_kept = 4 << 20;  // bytes of an allocation
    constexpr int most_kept = 16 << 20;    // bytes at the end of a heap
    constexpr int arenas = 1;
    ::mallopt(M_ARENA_MAX, arenas);
    ::mallopt(M_MMAP_THRESHOLD, largest_kept);
    ::mallopt(M_TRIM_THRESHOLD, most_kept);
}

int run_daemon(const command_line& given, const settings& all) {
    // Files and folders get the modes that are promised, whatever the caller's mask: each is made with its
    // own mode.
    ::umask(0);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ,
                SIG_IGN);  // a limit on file sizes is then an error of write(2), which the log deals with
    raise_descriptor_limit();
    keep_freed_memory();
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
