// SPDX-License-Identifier: MIT
// A file holds less than the snapshot says.
#pragma once

#include "daemon/storage/log.hpp"

#include <stdexcept>

namespace livelogd::query {

/// Records have been written anew elsewhere while they were read (after a failed sync), or somebody has cut a
/// file. Either way an answer from a newer snapshot is better.
struct log_changed : std::runtime_error {
    log_changed() : std::runtime_error("a log segment was cut while it was read") {}
};

/// `answer(snapshot, strict)` from a view of the log that stays true while it is made. Not strict: what files
/// have lost is left out, because somebody has cut them for good.
template <class Answer>
auto from_steady_view(const storage::log& log, Answer&& answer) {
    constexpr int strict_tries = 2;
    for (int i = 0; i < strict_tries; ++i) {
        try {
            return answer(log.snapshot(), true);
        } catch (const log_changed&) {
            // The next snapshot says where the records are now.
        }
    }
    return answer(log.snapshot(), false);
}

}  // namespace livelogd::query
