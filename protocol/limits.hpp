// SPDX-License-Identifier: MIT
// Numbers that both sides of the ingest socket and every reader of the files rely on.
#pragma once

#include <cstddef>

namespace livelogd::protocol {

/// Deepest nesting of a record; the record itself is level 1.
inline constexpr std::size_t max_nesting = 128;

/// Most bytes of a malformed line that its record carries in `raw`.
inline constexpr std::size_t max_raw_bytes = 4096;

}  // namespace livelogd::protocol
