// SPDX-License-Identifier: MIT
// The composition root: every object of the daemon is made here, top down, and ends in the reverse order.
#pragma once

#include "daemon/app/passed_sockets.hpp"
#include "daemon/app/service_manager.hpp"
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
    /// Opens the log, and the sockets that have not been passed. Throws storage::log_error, net::listen_error
    /// or configuration_error.
    application(settings initial, settings_source reload, passed_sockets passed, service_manager manager,
                base::report_sink report);
    ~application();
    application(const application&) = delete;
    application& operator=(const application&) = delete;

    /// Serves, tells the service manager that it does, until SIGTERM or SIGINT and returns the exit code.
    /// Once.
    int run();

  private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace livelogd::app
