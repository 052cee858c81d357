// SPDX-License-Identifier: MIT
// `recent`: matching records of a stretch of the log, oldest first.
#pragma once

#include "daemon/query/record_search.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace livelogd::query {

/// How records are put together.
enum class answer_format : std::uint8_t {
    json,    ///< one array
    ndjson,  ///< one record a line
    bare,    ///< the record alone: for answers of at most one
};

/// How a record is shown.
struct record_form {
    bool ids = false;                       ///< its id comes first in it
    std::optional<std::size_t> elide = {};  ///< longer strings are cut to so many bytes
};

struct history_request {
    filter::record_filter filter = {};
    std::size_t lines = 100;
    std::optional<protocol::record_id> before = {};  ///< only records with smaller ids
    std::optional<protocol::record_id> after =
        {};  ///< only larger ones, and the oldest of them instead of the newest
    answer_format format = answer_format::json;
    record_form form = {};
    std::optional<std::chrono::milliseconds> scan_time = {};  ///< the search ends after this
};

/// What the search has found, told before the answer.
struct history_extent {
    std::optional<protocol::record_id> first;  ///< of the first record in the answer
    std::optional<protocol::record_id> last;
    /// Between where the search began and here, included, nothing more will be found. 0: nothing older is
    /// left.
    protocol::record_id scanned_to = 0;
};

/// Makes the answer piece by piece, in bounded memory: first a search that notes where the records stand,
/// then their bytes, read again and passed on. The segments it needs stay open until their records are out,
/// so that a removal does not cut an answer short. One thread at a time; blocks on the disk.
class history_answer {
  public:
    /// Searches. Throws summary::stopped, std::system_error, or query::log_changed. What `context` refers to
    /// is not needed any more afterwards, except for its stop token.
    history_answer(const storage::log_snapshot& snapshot, const history_request& request,
                   const search_context& context);
    ~history_answer();

    [[nodiscard]] const history_extent& extent() const;

    /// Appends the next piece to `out`: about 256 KiB, so that a large record comes in several (an elided one
    /// is read whole). Each record stands on a line of its own. False once the answer is complete; the last
    /// piece comes with it. Throws like the constructor, also if a file has been cut that the search had seen
    /// whole.
    bool next(std::string& out);

    /// Whether a file that is still needed has been removed from the disk: its space is not free before this
    /// answer is out or given up.
    [[nodiscard]] bool pins_removed_files() const;

  private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace livelogd::query
