// SPDX-License-Identifier: MIT
// A number that tells bytes from others: against damage and mix-ups, not against an attacker.
#pragma once

#include <cstdint>
#include <string_view>

namespace livelogd::base {

/// XXH3, 64 bits, the same on every machine: it may be kept in files.
std::uint64_t checksum_of(std::string_view bytes);

}  // namespace livelogd::base
