// SPDX-License-Identifier: MIT
#include "daemon/app/diagnostics.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace livelogd::app {
namespace {

struct spelling {
    std::string_view name;
    char priority;  ///< as in syslog(3)
};

spelling spelling_of(base::severity level) {
    switch (level) {
        case base::severity::debug:
            return {"debug", '7'};
        case base::severity::warning:
            return {"warning", '4'};
        case base::severity::error:
            return {"error", '3'};
        case base::severity::info:
            break;
    }
    return {"info", '6'};
}

/// Whether what is written to stderr ends up in the journal: JOURNAL_STREAM names device and inode of the
/// stream that the service manager has set up (systemd.exec(5)); stderr may have been redirected since.
bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat there{};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &there) != 0) return false;
    return std::to_string(there.st_dev) + ":" + std::to_string(there.st_ino) == stream;
}

std::string beginning(base::severity level, bool is_journal) {
    const auto [name, priority] = spelling_of(level);
    if (is_journal) return std::string("<") + priority + ">";
    return "livelogd: " + std::string(name) + ": ";
}

}  // namespace

base::report_sink report_to_stderr() {
    return [is_journal = stderr_is_journal()](base::severity level, std::string_view message) {
        std::string line = beginning(level, is_journal);
        for (const char c : message)
            line.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c);
        line.push_back('\n');
        // A terminal or journal that is gone is no reason to stop.
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    };
}

}  // namespace livelogd::app
