// SPDX-License-Identifier: MIT
// The program's entry: from the command line to an exit code.
#pragma once

namespace livelogd::app {

/// Does what the command line asks for. Tells every failure on stderr. Never throws.
int run_program(int argc, const char* const* argv);

}  // namespace livelogd::app
