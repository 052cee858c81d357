// SPDX-License-Identifier: MIT
// What the operator wants to be told of.
#pragma once

#include "daemon/filter/filter_words.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace livelogd::alerts {

inline constexpr std::uint64_t max_threshold = 100'000;

/// Fires when `threshold` records that fit have come within `window`, and is then silent for `quiet`. What
/// counts is when the daemon took a record, not the time the record tells: clocks of senders may be wrong.
struct alert_rule {
    std::string name;             ///< unique among the rules
    filter::filter_words words;   ///< which records fit; neither since nor until
    std::uint64_t threshold = 1;  ///< 1 to max_threshold
    std::chrono::milliseconds window{60'000};
    std::chrono::milliseconds quiet{600'000};
    std::string webhook;  ///< URL that is told by POST; empty: the record in the log is all
    std::chrono::milliseconds timeout{
        10'000};                  ///< of one attempt to tell it, from the first look-up to the answer
    bool include_record = false;  ///< the newest of the records goes along, which may hold a prompt

    bool operator==(const alert_rule&) const = default;
};

/// The filter as its parameters: `type=errors q="status>=500"`.
std::string describe(const filter::filter_words& words);

}  // namespace livelogd::alerts
