// SPDX-License-Identifier: MIT
// Who sends, for the daemon's own messages: told seldom enough that a flood of connections is no flood of
// lines.
#pragma once

#include "daemon/base/token_bucket.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace livelogd::ingest {

/// For each user a few messages at once and then one a minute, with the number of connections that went
/// untold; a user's flood hides nobody else. Pure, but for the time that the caller tells. Owned by the
/// server, on its strand.
class sender_notes {
  public:
    using time_point = base::token_bucket::time_point;

    static constexpr double at_once = 3;
    static constexpr base::token_bucket::seconds pace{60};
    /// Users beyond these share their messages: a machine has few, but nothing here may grow without end.
    static constexpr std::size_t most_users = 64;

    /// What is to be told of a connection that has been accepted, if anything is.
    std::optional<std::string> connected(pid_t pid, uid_t user, time_point now);

  private:
    struct record {
        base::token_bucket messages{at_once, pace};
        std::uint64_t untold = 0;
    };
    std::map<uid_t, record> by_user_;
    record others_;
};

}  // namespace livelogd::ingest
