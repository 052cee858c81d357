// SPDX-License-Identifier: MIT
// The composition root: every object of the daemon is made here, top down, and ends in the reverse order.
#pragma once

#include "daemon/app/settings.hpp"
#include "daemon/base/report.hpp"

#include <functional>
#include <memory>

namespace livelogd::app {

/// Reads the settings again, for SIGHUP. Throws configuration_error.
using settings_source = std::function<settings()>;

/// One running daemon.
class application {
  public:
    /// Opens the log and the sockets. Throws storage::log_error, net::listen_error or configuration_error.
    application(settings initial, settings_source reload, base::report_sink report);
    ~application();
    application(const application&) = delete;
    application& operator=(const application&) = delete;

    /// Serves until SIGTERM or SIGINT and returns the exit code. Once.
    int run();

  private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace livelogd::app
