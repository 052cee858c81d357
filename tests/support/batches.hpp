// SPDX-License-Identifier: MIT
// Batches of records for tests, made the way ingest makes them.
#pragma once

#include "daemon/ingest/intake.hpp"
#include "daemon/storage/record_batch.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace livelogd::test {

/// Each line must be a record with a timestamp, so that nothing is added to it.
inline storage::record_batch batch_of(const std::vector<std::string>& lines) {
    ingest::counters count;
    ingest::intake intake(std::size_t{1} << 24, count);
    const ingest::policy rules;
    storage::record_batch batch;
    for (const auto& line : lines)
        intake.feed(line + "\n", rules, batch);
    return batch;
}

/// {"timestamp":"…","n":<n>} and whatever `more` adds.
inline std::string numbered(std::uint64_t n, std::string_view more = {}) {
    return R"({"timestamp":"2025-06-26T10:30:45Z","n":)" + std::to_string(n) + std::string(more) + "}";
}

}  // namespace livelogd::test
