// SPDX-License-Identifier: MIT
#include "daemon/app/socket_place.hpp"

#include "daemon/app/configuration.hpp"
#include "daemon/app/exit_code.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace livelogd::app {
namespace {

/// Whether the folder is there, no symlink, and ours to make files in.
bool usable(const std::string& folder, mode_t mode) {
    ::mkdir(folder.c_str(), mode);
    struct stat there{};
    return ::lstat(folder.c_str(), &there) == 0 && S_ISDIR(there.st_mode)
           && ::access(folder.c_str(), W_OK | X_OK) == 0;
}

}  // namespace

std::string default_socket_path() {
    // Clients of other users come through this folder; who may connect is told by the socket's own mode.
    constexpr mode_t shared_folder = 0755;
    constexpr mode_t private_folder = 0700;
    if (const std::string folder = "/run/livelogd"; usable(folder, shared_folder))
        return folder + "/ingest.sock";
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    if (runtime != nullptr && *runtime != '\0') {
        const std::string folder = std::string(runtime) + "/livelogd";
        if (usable(folder, private_folder)) return folder + "/ingest.sock";
    }
    throw configuration_error(bad_configuration,
                              "socket: neither /run/livelogd nor $XDG_RUNTIME_DIR/livelogd can be used for "
                              "the ingest socket; name a path with --socket");
}

}  // namespace livelogd::app
