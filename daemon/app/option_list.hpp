// SPDX-License-Identifier: MIT
// The option table for other programs: from it come the manual page livelogd.toml(5), docs/configuration.md
// and the completions of shells (packaging/option_documents.py).
#pragma once

#include <string>

namespace livelogd::app {

/// A JSON array with one object an option, in the table's order, each on a line of its own:
/// {"name","flag","variable","kind","default","help","reloadable"}. "kind" is "list", "switch" or "value";
/// "default" is as on the command line.
std::string list_options();

}  // namespace livelogd::app
