// SPDX-License-Identifier: MIT
// Where the daemon's own messages go: stderr, one line each.
#pragma once

#include "daemon/base/report.hpp"

namespace livelogd::app {

/// `livelogd: <severity>: <message>`; where stderr goes to the journal, which knows the name already, the
/// message with its priority in front (`<4>`, sd-daemon(3)). Written with one write(2), so that lines of
/// several threads do not mix. Control characters in the message are replaced. Any thread.
base::report_sink report_to_stderr();

}  // namespace livelogd::app
