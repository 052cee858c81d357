// SPDX-License-Identifier: MIT
// The browsers that have signed in.
#pragma once

#include "daemon/http/auth/digest.hpp"
#include "daemon/http/auth/grant.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace livelogd::http {

struct session_times {
    std::chrono::milliseconds ttl{0};   ///< from signing in, used or not
    std::chrono::milliseconds idle{0};  ///< without being used
};

/// Sessions by the digest of their name; the name itself, which is the cookie's value, is kept nowhere. Lives
/// in memory: a restart signs everybody out. Owned by the authenticator, under its mutex.
class session_table {
  public:
    using time_point = grant::clock::time_point;
    /// One more puts the one that has not been used for longest out.
    static constexpr std::size_t most = 256;

    /// A new session: its name.
    std::string open(time_point now, session_times times);

    /// The session of that name, which counts as used; null if there is none, or not any more.
    std::shared_ptr<grant> find(std::string_view name, time_point now);

    /// Whether there was one.
    bool close(std::string_view name);
    void close_all();

    /// Those that hold.
    [[nodiscard]] std::size_t size(time_point now);

  private:
    void drop_ended(time_point now);

    digester digest_of_;
    std::map<digest, std::shared_ptr<grant>> all_;
};

}  // namespace livelogd::http
