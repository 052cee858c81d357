// SPDX-License-Identifier: MIT
// The unit of work: what one read from a socket brought, ready to be appended with one write.
#pragma once

#include "protocol/record_digest.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace livelogd::storage {

struct record_batch {
    struct record {
        std::uint32_t size = 0;  ///< bytes of the line in `lines`, its LF included
        protocol::record_digest digest;
    };
    std::string lines;            ///< the records as stored, one a line, each ended by LF, in order
    std::vector<record> records;  ///< one for each line of `lines`

    [[nodiscard]] bool empty() const { return records.empty(); }
};

}  // namespace livelogd::storage
