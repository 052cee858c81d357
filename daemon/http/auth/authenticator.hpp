// SPDX-License-Identifier: MIT
// Who has the token, or has shown it before.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/base/token_bucket.hpp"
#include "daemon/http/auth/attempts.hpp"
#include "daemon/http/auth/digest.hpp"
#include "daemon/http/auth/grant.hpp"
#include "daemon/http/auth/sessions.hpp"
#include "daemon/http/request.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace livelogd::http {

/// Owned by the application; outlives the I/O threads. Any thread: what it holds is behind a mutex that is
/// held for moments.
///
/// A token in the header Authorization is limited by the tries of its own address alone, so that nobody can
/// keep somebody else's valid token from being taken. Forms share a limit as well: people can wait.
class authenticator {
  public:
    using time_point = grant::clock::time_point;

    struct options {
        session_times times{};
        bool asks_unix_sockets = true;  ///< else who may connect to a Unix socket may read
    };

    authenticator(options given, base::report_sink report);

    /// From now on this is the token; none: nobody is asked for one. If it is another than before, everybody
    /// who came in with that is out, their streams included.
    void set_token(const std::optional<std::string>& token);

    /// Of sessions that begin from now on.
    void set_times(session_times times);

    /// Whether a token is asked for where this request came in.
    [[nodiscard]] bool asks(const request& asked) const;

    enum class outcome : std::uint8_t {
        admitted,
        missing,  ///< neither a token, nor a session that holds
        wrong,    ///< that is not the token
        limited,  ///< too many were wrong; this one was not looked at
    };
    struct verdict {
        outcome what = outcome::missing;
        std::shared_ptr<grant> granted = {};  ///< with `admitted`
        std::uint64_t wait = 0;               ///< seconds, with `limited`
    };
    /// By the header Authorization if there is one, else by the cookie. `asked.client` must be known.
    verdict check(const request& asked, time_point now);

    /// Whether a cookie of the request is that of a session.
    bool has_session(const request& asked, time_point now);

    struct sign_in_result {
        outcome what = outcome::wrong;
        std::string session = {};  ///< the cookie's value, with `admitted`
        std::uint64_t wait = 0;    ///< seconds, with `limited`
    };
    /// By a token in a form. Sessions that the browser had are over.
    sign_in_result sign_in(const request& asked, std::string_view token, time_point now);

    /// Ends the sessions that the request's cookies name.
    void sign_out(const request& asked);

    [[nodiscard]] std::chrono::seconds session_ttl() const;

    // For those who watch the daemon.
    [[nodiscard]] std::size_t sessions(time_point now);
    [[nodiscard]] std::uint64_t sign_ins() const { return sign_ins_.load(std::memory_order_relaxed); }

  private:
    // With the mutex held.
    std::shared_ptr<grant> session_of(const request& asked, time_point now);
    void tell_wrong(const std::string& client, time_point now);

    const bool asks_unix_sockets_;
    const digester digest_of_;
    const base::report_sink report_;
    std::atomic<bool> has_token_{false};
    std::atomic<std::uint64_t> sign_ins_{0};

    mutable std::mutex mutex_;  ///< of all that follows
    session_times times_;
    std::optional<digest> token_;
    std::shared_ptr<grant> by_token_;  ///< of those who came in with the token itself
    session_table sessions_;
    attempts attempts_;
    base::token_bucket messages_;
    std::uint64_t untold_ = 0;  ///< wrong tokens that no message was about
};

}  // namespace livelogd::http
