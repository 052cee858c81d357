// SPDX-License-Identifier: MIT
// Which endpoint answers which path.
#pragma once

#include "daemon/http/reply.hpp"
#include "daemon/http/request.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::http {

/// Answers one GET. May throw bad_request; anything else it throws becomes a 500.
using endpoint = std::function<net::awaitable<reply>(const request&)>;

/// A table of paths. Filled before the first request, then only read: any thread.
class router {
  public:
    void add(std::string path, endpoint answers) {
        routes_.push_back({std::move(path), false, std::move(answers)});
    }

    /// Every path that is `prefix` (which ends with a slash) and one more segment.
    void add_family(std::string prefix, endpoint answers) {
        routes_.push_back({std::move(prefix), true, std::move(answers)});
    }

    /// Answers a request of any method: unknown paths with 404, methods other than GET, HEAD and OPTIONS with
    /// 405. The body of an answer to HEAD is for the session to leave out. Throws nothing but what memory
    /// shortage throws. `asked` must live until the answer is there.
    [[nodiscard]] net::awaitable<reply> answer(const request& asked) const;

  private:
    struct route {
        std::string path;
        bool is_family = false;
        endpoint answers;
        [[nodiscard]] bool takes(std::string_view asked) const;
    };
    std::vector<route> routes_;
};

}  // namespace livelogd::http
