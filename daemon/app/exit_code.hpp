// SPDX-License-Identifier: MIT
// Exit codes, as in sysexits.h.
#pragma once

namespace livelogd::app {

enum exit_code : int {
    success = 0,
    usage = 64,        ///< the command line cannot be understood
    unavailable = 69,  ///< an address, the socket or the log directory is taken
    internal_error = 70,
    io_error = 74,           ///< the log directory cannot be used, or something accepted could not be stored
    bad_configuration = 78,  ///< also where this program was built without what it needs
};

}  // namespace livelogd::app
