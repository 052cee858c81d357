// SPDX-License-Identifier: MIT
// Requests that have no response yet, while the log is read from its beginning.
#pragma once

#include "protocol/record_id.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace livelogd::summary {

struct open_request {
    protocol::record_id id = 0;
    std::optional<std::int64_t> time;  ///< microseconds since 1970
    bool counts = false;               ///< it is in the window, and passes the filter
    std::string request_id;            ///< these two as spelled in the record; empty: absent
    std::string endpoint;
    std::string model;  ///< empty: not told
};

/// A response belongs to the nearest earlier request of its request_id that has none yet.
class open_requests {
  public:
    /// `key`: the characters of the request_id.
    void add(const std::string& key, open_request request) { open_[key].push_back(std::move(request)); }

    /// A response has come: the request that it belongs to, if there is one, is open no more.
    std::optional<open_request> take(const std::string& key);

    /// Those that are open, the oldest first; they end with the next change.
    [[nodiscard]] std::vector<const open_request*> in_order() const;

    [[nodiscard]] bool empty() const { return open_.empty(); }

  private:
    std::unordered_map<std::string, std::vector<open_request>> open_;
};

/// Milliseconds from `time` to `now`, microseconds both: not below 0.
std::optional<std::uint64_t> age_us(std::optional<std::int64_t> time, std::int64_t now_us);

}  // namespace livelogd::summary
