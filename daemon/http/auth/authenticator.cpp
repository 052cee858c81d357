// SPDX-License-Identifier: MIT
#include "daemon/http/auth/authenticator.hpp"

#include "daemon/http/auth/cookies.hpp"

#include <utility>

namespace livelogd::http {
namespace {

/// Messages about wrong tokens: so many at once, then one in this time.
constexpr double messages_at_once = 5;
constexpr base::token_bucket::seconds message_pace{60};

/// The token of `Authorization: Bearer TOKEN` (RFC 6750); nothing of another scheme.
std::optional<std::string_view> bearer_token(const request& asked) {
    auto value = asked.header("authorization").value_or("");
    constexpr std::string_view scheme = "bearer ";
    if (value.size() <= scheme.size()) return std::nullopt;
    for (std::size_t i = 0; i < scheme.size(); ++i) {
        const char c = value[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != scheme[i]) return std::nullopt;
    }
    value.remove_prefix(scheme.size());
    while (value.starts_with(' '))
        value.remove_prefix(1);
    return value;
}

}  // namespace

authenticator::authenticator(options given, base::report_sink report)
    : asks_unix_sockets_(given.asks_unix_sockets),
      report_(std::move(report)),
      times_(given.times),
      messages_(messages_at_once, message_pace) {}

void authenticator::set_token(const std::optional<std::string>& token) {
    const std::lock_guard lock(mutex_);
    const auto fresh = token ? std::optional(digest_of_(*token)) : std::nullopt;
    if (fresh && token_ && same(*fresh, *token_)) return;
    token_ = fresh;
    has_token_ = fresh.has_value();
    sessions_.close_all();
    if (by_token_) by_token_->end();
    by_token_ = std::make_shared<grant>(time_point{}, time_point::max(), grant::clock::duration::max());
    attempts_.forget_wrong();
}

void authenticator::set_times(session_times times) {
    const std::lock_guard lock(mutex_);
    times_ = times;
}

bool authenticator::asks(const request& asked) const {
    return has_token_ && (asks_unix_sockets_ || !asked.over_unix_socket);
}

authenticator::verdict authenticator::check(const request& asked, time_point now) {
    const std::lock_guard lock(mutex_);
    if (const auto given = bearer_token(asked)) {
        const auto from = sender_of(asked.client);
        const auto shown = digest_of_(*given);
        if (attempts_.known_wrong(from, shown)) return {.what = outcome::wrong};
        if (const auto wait = attempts_.wait(from, now); wait > 0)
            return {.what = outcome::limited, .wait = wait};
        if (token_ && same(shown, *token_)) return {.what = outcome::admitted, .granted = by_token_};
        attempts_.failed(from, shown, false, now);
        tell_wrong(asked.client, now);
        return {.what = outcome::wrong};
    }
    auto session = session_of(asked, now);
    if (session) return {.what = outcome::admitted, .granted = std::move(session)};
    return {.what = outcome::missing};
}

bool authenticator::has_session(const request& asked, time_point now) {
    const std::lock_guard lock(mutex_);
    return session_of(asked, now) != nullptr;
}

std::shared_ptr<grant> authenticator::session_of(const request& asked, time_point now) {
    for (const auto& cookie : session_cookies(asked)) {
        if (auto found = sessions_.find(cookie.value, now)) return found;
    }
    return nullptr;
}

authenticator::sign_in_result authenticator::sign_in(const request& asked, std::string_view token,
                                                     time_point now) {
    const std::lock_guard lock(mutex_);
    const auto from = sender_of(asked.client);
    if (const auto wait = attempts_.wait_for_form(from, now); wait > 0)
        return {.what = outcome::limited, .wait = wait};
    const auto shown = digest_of_(token);
    if (!token_ || !same(shown, *token_)) {
        attempts_.failed(from, shown, true, now);
        tell_wrong(asked.client, now);
        return {.what = outcome::wrong};
    }
    for (const auto& cookie : session_cookies(asked))
        sessions_.close(cookie.value);
    sign_ins_.fetch_add(1, std::memory_order_relaxed);
    return {.what = outcome::admitted, .session = sessions_.open(now, times_)};
}

void authenticator::sign_out(const request& asked) {
    const std::lock_guard lock(mutex_);
    for (const auto& cookie : session_cookies(asked))
        sessions_.close(cookie.value);
}

std::chrono::seconds authenticator::session_ttl() const {
    const std::lock_guard lock(mutex_);
    return std::chrono::ceil<std::chrono::seconds>(times_.ttl);
}

std::size_t authenticator::sessions(time_point now) {
    const std::lock_guard lock(mutex_);
    return sessions_.size(now);
}

/// Whoever guards the machine wants to know, but not for every guess.
void authenticator::tell_wrong(const std::string& client, time_point now) {
    if (!messages_.take(now)) {
        ++untold_;
        return;
    }
    std::string message = "a wrong token came from " + client;
    if (const auto more = std::exchange(untold_, 0); more > 0)
        message += ", and " + std::to_string(more) + " more that were not told";
    report_(base::severity::warning, message);
}

}  // namespace livelogd::http
