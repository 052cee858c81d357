// SPDX-License-Identifier: MIT
#include "daemon/filter/decoded_text.hpp"

#include "protocol/text.hpp"

namespace livelogd::filter {

std::string_view decoded_text(std::string_view line, std::string& buffer) {
    if (line.find('\\') == std::string_view::npos) return line;
    // In valid JSON a backslash stands only within strings, and begins an escape: no need to look for the
    // strings.
    buffer.clear();
    buffer.reserve(line.size());
    protocol::append_unescaped(buffer, line);
    return buffer;
}

}  // namespace livelogd::filter
