// SPDX-License-Identifier: MIT
// Server-Sent Events as they go over the wire (WHATWG HTML, section 9.2).
#pragma once

#include "protocol/record_id.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace livelogd::protocol::sse {

/// `id: N`, `data: <json>`, blank line. `json` must hold neither CR nor LF (a stored record does not).
void append_record(std::string& out, record_id id, std::string_view json);

/// Where the JSON stands inside a frame written by append_record: after "id: N\ndata: ".
std::size_t json_offset(record_id id);
/// Bytes after the JSON in such a frame.
inline constexpr std::size_t json_trailer = 2;

/// The first bytes of a stream: how long a client waits before it connects again, milliseconds.
std::string retry(unsigned milliseconds);

/// Tells a client where to resume before it has seen a record. Without data it is no event: nothing is
/// dispatched, but the last event id is set (step 1 of dispatching an event).
std::string position(record_id id);

/// `position`: the last id this stream has examined (its `id:` line); `newest`: the newest id of the log.
std::string ping(record_id position, record_id newest);

/// The same from a stream that does not know yet where it starts: without an `id:` line, so that a client
/// that loses the connection now asks again for what it asked for at first.
std::string ping_before_start(record_id newest);

/// Records from..to are no longer kept; the stream goes on after `to` (its `id:` line).
std::string gap(record_id from, record_id to, std::string_view reason);

/// The stream ends; it can be resumed after `position`. Without a reason: the daemon stops.
std::string bye(record_id position, std::string_view reason = {});

/// Storing fails. `reason` is a sentence, `since` an ISO 8601 time. Without an `id:` line, as the next one:
/// where a client resumes has nothing to do with it.
std::string status_failing(std::string_view reason, std::string_view since);

/// Storing works again.
std::string status_ok();

}  // namespace livelogd::protocol::sse
