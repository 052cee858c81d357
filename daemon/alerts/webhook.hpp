// SPDX-License-Identifier: MIT
// Telling a webhook something, once.
#pragma once

#include "daemon/alerts/webhook_url.hpp"
#include "daemon/net/types.hpp"

#include <chrono>
#include <string>

namespace livelogd::alerts {

/// What became of one POST.
struct post_result {
    unsigned status = 0;  ///< of the answer; 0: there was none
    std::string trouble;  ///< why not, a short sentence

    [[nodiscard]] bool delivered() const { return status >= 200 && status < 300; }
    /// The receiver has understood and does not want it: asking again would change nothing.
    [[nodiscard]] bool refused() const {
        return status >= 300 && status < 500 && status != 408 && status != 425 && status != 429;
    }
    /// "the answer was 503", or the trouble.
    [[nodiscard]] std::string sentence() const;
};

/// Sends `body` (JSON) by POST, on a connection of its own, and waits for the head of the answer: all in all
/// at most for `limit`. Certificates are checked against those the system trusts. Redirections are not
/// followed. Does not throw. On the caller's executor. `url` and `body` must outlive the call.
net::awaitable<post_result> post_json(const webhook_url& url, const std::string& body,
                                      std::chrono::milliseconds limit);

}  // namespace livelogd::alerts
