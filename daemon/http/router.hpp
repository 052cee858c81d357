// SPDX-License-Identifier: MIT
// Which endpoint answers which path.
#pragma once

#include "daemon/http/reply.hpp"
#include "daemon/http/request.hpp"
#include "daemon/http/request_counts.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::http {

/// Answers one GET. May throw bad_request; anything else it throws becomes a 500.
using endpoint = std::function<net::awaitable<reply>(const request&)>;

/// Whether it is counted how long the answers of an endpoint take, from the request to the head of the
/// answer.
enum class timing : std::uint8_t { unmeasured, measured };

/// Who may ask while a token is needed.
enum class audience : std::uint8_t { token_holders, anyone };

/// A table of paths, and of what came of asking for them. Filled before the first request, then only read:
/// any thread.
class router {
  public:
    void add(std::string path, endpoint answers, timing time = timing::unmeasured,
             audience who = audience::token_holders) {
        const auto row = counts_->add(path, time == timing::measured);
        routes_.push_back({std::move(path), false, std::move(answers), nullptr, who, row});
    }

    /// A page with a form for anyone, and what answers the POST that sends it (its text is in request::body).
    void add_form(std::string path, endpoint page, endpoint takes) {
        const auto row = counts_->add(path, false);
        routes_.push_back({std::move(path), false, std::move(page), std::move(takes), audience::anyone, row});
    }

    /// Every path that is `prefix` (which ends with a slash) and one more segment.
    void add_family(std::string prefix, endpoint answers, timing time = timing::unmeasured) {
        const auto row = counts_->add(prefix, time == timing::measured);
        routes_.push_back(
            {std::move(prefix), true, std::move(answers), nullptr, audience::token_holders, row});
    }

    /// Whether the path is there for anyone, also while a token is needed.
    [[nodiscard]] bool is_open(const std::string& path) const;

    /// Whether the request sends a form, so that its body is wanted.
    [[nodiscard]] bool takes_form(const request& asked) const;

    /// Answers a request of any method: unknown paths with 404, methods other than GET, HEAD and OPTIONS (and
    /// POST, for a form) with 405. The body of an answer to HEAD is for the session to leave out. Throws
    /// nothing but what memory shortage throws. `asked` must live until the answer is there.
    [[nodiscard]] net::awaitable<reply> answer(const request& asked) const;

    /// `asked` (null: a request that could not be read) is answered with `status`, whoever made the answer.
    void count(const request* asked, unsigned status) const;

    /// A request was not let in.
    void count_refusal(refusal why) const { counts_->refused(why); }

    /// Lives as long as anybody holds it.
    [[nodiscard]] std::shared_ptr<const request_counts> counts() const { return counts_; }

    /// Every path, in the order in which they were added.
    [[nodiscard]] std::vector<std::string> paths() const;

  private:
    struct route {
        std::string path;
        bool is_family;
        endpoint answers;
        endpoint accepts;  ///< empty: not a form
        audience who;
        std::size_t row;  ///< of counts_
        [[nodiscard]] bool takes(std::string_view asked) const;
    };
    /// Null if there is nothing at this path.
    [[nodiscard]] const route* find(const std::string& path) const;

    std::vector<route> routes_;
    std::shared_ptr<request_counts> counts_ = std::make_shared<request_counts>();
};

}  // namespace livelogd::http
