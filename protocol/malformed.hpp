// SPDX-License-Identifier: MIT
// The record that stands for a line which is not one.
#pragma once

#include "protocol/record_rewrite.hpp"
#include "protocol/redaction.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace livelogd::protocol {

/// Makes the stored form (compact, without LF) of the record that tells of a malformed line.
/// `message`: what is wrong, at which byte. `line`: the line or its beginning; at most max_raw_bytes of it
/// are quoted, invalid UTF-8 replaced, cut at a character. `line_bytes`: its whole length. Where `line`
/// mentions a redacted key, or shows a secret that `content` has a rule for, nothing of it is quoted, neither
/// there nor in the message. `timestamp`: as in intake_rules.
std::string make_malformed_record(std::string_view message, std::string_view line, std::uint64_t line_bytes,
                                  const redaction_keys& keys, std::string_view timestamp,
                                  const content_rules& content = {});

/// `bytes` with every invalid UTF-8 sequence replaced by U+FFFD, at most `limit` bytes long, cut between
/// characters.
std::string to_valid_utf8(std::string_view bytes, std::size_t limit);

}  // namespace livelogd::protocol
