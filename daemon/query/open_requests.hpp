// SPDX-License-Identifier: MIT
// Requests that have no response yet, while the log is read from its beginning.
#pragma once

#include "protocol/record_id.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace livelogd::query {

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

    /// Appends `"in_flight":[…],"in_flight_count":…` and the same of the orphaned ones, without braces: those
    /// that count, the newest first. Younger than `orphan_after_us` at `now_us`, or of unknown age: in
    /// flight.
    void append_text(std::string& out, std::int64_t now_us, std::int64_t orphan_after_us) const;

  private:
    std::unordered_map<std::string, std::vector<open_request>> open_;
};

/// Milliseconds from `time` to `now`, microseconds both: not below 0.
std::optional<std::uint64_t> age_us(std::optional<std::int64_t> time, std::int64_t now_us);

}  // namespace livelogd::query
