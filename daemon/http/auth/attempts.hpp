// SPDX-License-Identifier: MIT
// How often a wrong token may be tried.
#pragma once

#include "daemon/base/token_bucket.hpp"
#include "daemon/http/auth/digest.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace livelogd::http {

/// Wrong tokens by the address that they came from. A wrong token that is known already costs no further try:
/// who presents the same one again and again (a program with yesterday's token) guesses nothing, and does not
/// lock others at its address out. Pure, but for the time that the caller tells. Owned by the authenticator,
/// under its mutex.
class attempts {
  public:
    using time_point = base::token_bucket::time_point;

    static constexpr double at_once = 10;                  ///< tries of one address, ...
    static constexpr base::token_bucket::seconds pace{6};  ///< ... and then one in this time
    static constexpr double all_at_once = 50;              ///< forms of all addresses together
    static constexpr base::token_bucket::seconds pace_of_all{1};
    static constexpr std::size_t most_addresses = 4096;

    /// Whole seconds until `from` may try again; 0: now.
    [[nodiscard]] std::uint64_t wait(std::string_view from, time_point now) const;
    /// The same for forms, which share a limit as well.
    [[nodiscard]] std::uint64_t wait_for_form(std::string_view from, time_point now) const;

    /// Whether this token is known to be wrong, from this address.
    [[nodiscard]] bool known_wrong(std::string_view from, const digest& token) const;

    /// A wrong token came from there.
    void failed(std::string_view from, const digest& token, bool in_form, time_point now);

    /// The token has changed: what was wrong may be right.
    void forget_wrong();

  private:
    struct record {
        base::token_bucket tries{at_once, pace};
        std::array<digest, 2> wrong{};  ///< the latest, the newest first
        time_point at{};
    };
    void make_room(time_point now);

    std::unordered_map<std::string, record> by_address_;
    base::token_bucket forms_{all_at_once, pace_of_all};
};

/// What of an address counts as one sender: an IPv4 address, the first 64 bits of an IPv6 address (whoever
/// has one of those addresses has all of them), anything else as it is.
std::string sender_of(std::string_view address);

}  // namespace livelogd::http
