// SPDX-License-Identifier: MIT
#include "daemon/base/checksum.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace livelogd::base {

std::uint64_t checksum_of(std::string_view bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace livelogd::base
