// SPDX-License-Identifier: MIT
#include "daemon/storage/start_rule.hpp"

#include <algorithm>

namespace livelogd::storage {

namespace {

/// Whether the files hold every record that was ever announced, as far as the state tells.
bool nothing_lost(const start_facts& facts, protocol::record_id file_next) {
    const auto& newest = *facts.newest;
    if (newest.lines_dropped || newest.tail_in_place || !facts.state) return false;
    const log_state& state = *facts.state;
    // Somebody removed newer segments than those that are left.
    if (state.next_id > file_next || state.segment > newest.first_id) return false;
    if (state.clean) return state.next_id == file_next;
    return !state.storing_failed && !state.boot_id.empty() && state.boot_id == facts.boot_id;
}

}  // namespace

start_decision decide_start(const start_facts& facts) {
    const protocol::record_id from_state = facts.state ? facts.state->next_id : 0;
    if (!facts.newest) return {std::max(facts.now, from_state), true, std::nullopt};

    const protocol::record_id file_next = facts.newest->first_id + facts.newest->records;
    if (nothing_lost(facts, file_next)) return {file_next, false, std::nullopt};
    return {std::max({file_next, from_state, facts.now}), true, file_next};
}

}  // namespace livelogd::storage
