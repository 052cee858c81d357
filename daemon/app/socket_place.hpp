// SPDX-License-Identifier: MIT
// Where the ingest socket is made if the operator does not say.
#pragma once

#include <string>

namespace livelogd::app {

/// /run/livelogd/ingest.sock where that folder exists or can be made, else
/// $XDG_RUNTIME_DIR/livelogd/ingest.sock. Makes the folder. Throws configuration_error if neither is
/// possible.
std::string default_socket_path();

}  // namespace livelogd::app
