// SPDX-License-Identifier: MIT
// Requests that have no response yet, while the log is read from its beginning.
#pragma once

#include "protocol/record_id.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::summary {

struct open_request {
    protocol::record_id id = 0;
    std::optional<std::int64_t> time;  ///< microseconds since 1970
    bool counts = false;               ///< it is in the window, and passes the filter
    std::string key;                   ///< the characters of its request_id
    std::string request_id;            ///< these two as spelled in the record; empty: absent
    std::string endpoint;
    std::string model;  ///< empty: not told
};

/// A response belongs to the nearest earlier request of its request_id that has none yet. The newest
/// most_open of them are kept, whatever the size of the log: who sends requests and never logs responses must
/// not fill the memory. One thread at a time.
class open_requests {
  public:
    static constexpr std::size_t most_open = 1024;

    /// Opens a request; ids rise. The reference is for filling in what is not yet in it, and lasts until the
    /// next change. If there are too many then, call drop_oldest() first.
    open_request& add(protocol::record_id id, std::string_view key);

    /// A response has come: the request that it belongs to is open no more. Null if there is none; else it
    /// lasts until the next change.
    const open_request* take(std::string_view key);

    /// Gives up the oldest ones until at most `most` are open. Returns how many of those given up count.
    std::uint64_t drop_oldest(std::size_t most);

    [[nodiscard]] std::size_t size() const { return size_; }

    /// Those that are open, the oldest first; they end with the next change.
    [[nodiscard]] std::vector<const open_request*> in_order() const;

  private:
    static constexpr std::uint32_t none = 0xffffffff;
    static constexpr std::size_t chains = 2 * most_open;

    /// A place for a request: used ones form a list in the order of ids, and a chain of those with the same
    /// hash, the newest first. What has been left keeps the memory of its strings for the next one.
    struct slot {
        open_request request;
        std::uint32_t older = none;
        std::uint32_t newer = none;
        std::uint32_t chain = 0;
        std::uint32_t next_in_chain = none;
    };
    void leave(std::uint32_t place);

    std::vector<slot> slots_;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> heads_;  ///< of the chains; empty until the first request
    std::uint32_t oldest_ = none;
    std::uint32_t newest_ = none;
    std::size_t size_ = 0;
};

/// Milliseconds from `time` to `now`, microseconds both: not below 0.
std::optional<std::uint64_t> age_us(std::optional<std::int64_t> time, std::int64_t now_us);

}  // namespace livelogd::summary
