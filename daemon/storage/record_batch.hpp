// SPDX-License-Identifier: MIT
// The unit of work: what one read from a socket brought, ready to be appended with one write.
#pragma once

#include "protocol/record_digest.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
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

    bool durable = false;  ///< somebody waits until it survives a power cut
    bool own = false;      ///< the daemon's own words, that no sender has sent

    [[nodiscard]] bool empty() const { return records.empty(); }
};

/// A batch that has been handed over: nobody changes it any more.
using shared_records = std::shared_ptr<const record_batch>;

}  // namespace livelogd::storage
