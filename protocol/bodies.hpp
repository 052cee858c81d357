// SPDX-License-Identifier: MIT
// How much of the bodies of requests and responses is kept (log_bodies). A body is the value of the record's
// own key request_body or response_body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace livelogd::protocol {

enum class body_logging : std::uint8_t {
    full,       ///< as it was sent
    truncated,  ///< its long strings are cut
    off,        ///< only what docs/llm-fields.md reads, and error_type
};

struct body_rules {
    body_logging how = body_logging::full;
    std::size_t limit = 4096;  ///< bytes of a string, as spelled, that are kept when truncated
};

/// Appends `record` (valid JSON without white space) with its bodies as the rules say; without bodies that
/// change appends nothing and returns false.
///
/// truncated: strings in a body over the limit are cut, at a character, and end with elision_mark; the
/// record's last member then tells their true sizes, as spelled: `"livelog_truncated":{"<path>":<bytes>,…}`.
/// A body that itself is such a string, and holds JSON or the lines of a stream in which something is read,
/// becomes what it would with off, and the string's beginning is kept under `livelog_body_beginning`.
///
/// off: a body other than null becomes an object, `{"livelog_body_bytes":<its size>, <what is read of it>}`,
/// or an array of objects, the first with that member, if it was an array or a stream. Of a stream's pieces
/// the first and the last ones are kept that differ.
bool append_with_bodies(std::string& out, std::string_view record, const body_rules& rules);

}  // namespace livelogd::protocol
