// SPDX-License-Identifier: MIT
// Which endpoint answers which path.
#pragma once

#include "daemon/http/reply.hpp"
#include "daemon/http/request.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace livelogd::http {

/// Answers one GET. May throw bad_request; anything else it throws becomes a 500.
using endpoint = std::function<net::awaitable<reply>(const request&)>;

/// A table of exact paths. Filled before the first request, then only read: any thread.
class router {
  public:
    void add(std::string path, endpoint answers) {
        routes_.emplace_back(std::move(path), std::move(answers));
    }

    /// Answers a request of any method: unknown paths with 404, methods other than GET, HEAD and OPTIONS with
    /// 405. The body of an answer to HEAD is for the session to leave out. Throws nothing but what memory
    /// shortage throws. `asked` must live until the answer is there.
    [[nodiscard]] net::awaitable<reply> answer(const request& asked) const;

  private:
    std::vector<std::pair<std::string, endpoint>> routes_;
};

}  // namespace livelogd::http
