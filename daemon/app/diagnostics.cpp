// SPDX-License-Identifier: MIT
#include "daemon/app/diagnostics.hpp"

#include <unistd.h>

#include <string>

namespace livelogd::app {
namespace {

std::string_view name_of(base::severity level) {
    switch (level) {
        case base::severity::debug:
            return "debug";
        case base::severity::warning:
            return "warning";
        case base::severity::error:
            return "error";
        case base::severity::info:
            break;
    }
    return "info";
}

}  // namespace

base::report_sink report_to_stderr() {
    return [](base::severity level, std::string_view message) {
        std::string line = "livelogd: " + std::string(name_of(level)) + ": ";
        for (const char c : message)
            line.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c);
        line.push_back('\n');
        // A terminal or journal that is gone is no reason to stop.
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    };
}

}  // namespace livelogd::app
