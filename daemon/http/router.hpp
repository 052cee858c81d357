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

/// A table of paths, and of what came of asking for them. Filled before the first request, then only read:
/// any thread.
class router {
  public:
    void add(std::string path, endpoint answers, timing time = timing::unmeasured) {
        const auto row = counts_->add(path, time == timing::measured);
        routes_.push_back({std::move(path), false, std::move(answers), row});
    }

    /// Every path that is `prefix` (which ends with a slash) and one more segment.
    void add_family(std::string prefix, endpoint answers, timing time = timing::unmeasured) {
        const auto row = counts_->add(prefix, time == timing::measured);
        routes_.push_back({std::move(prefix), true, std::move(answers), row});
    }

    /// Answers a request of any method: unknown paths with 404, methods other than GET, HEAD and OPTIONS with
    /// 405. The body of an answer to HEAD is for the session to leave out. Throws nothing but what memory
    /// shortage throws. `asked` must live until the answer is there.
    [[nodiscard]] net::awaitable<reply> answer(const request& asked) const;

    /// `asked` (null: a request that could not be read) is answered with `status`, whoever made the answer.
    void count(const request* asked, unsigned status) const;

    /// Lives as long as anybody holds it.
    [[nodiscard]] std::shared_ptr<const request_counts> counts() const { return counts_; }

    /// Every path, in the order in which they were added.
    [[nodiscard]] std::vector<std::string> paths() const;

  private:
    struct route {
        std::string path;
        bool is_family;
        endpoint answers;
        std::size_t row;  ///< of counts_
        [[nodiscard]] bool takes(std::string_view asked) const;
    };
    /// Null if there is nothing at this path.
    [[nodiscard]] const route* find(const std::string& path) const;

    std::vector<route> routes_;
    std::shared_ptr<request_counts> counts_ = std::make_shared<request_counts>();
};

}  // namespace livelogd::http
