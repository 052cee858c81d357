// SPDX-License-Identifier: MIT
// `recent`: the newest matching records, oldest first.
#pragma once

#include "daemon/filter/record_filter.hpp"
#include "daemon/storage/log_snapshot.hpp"

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

namespace livelogd::query {

struct recent_request {
    filter::record_filter filter;
    std::size_t lines = 100;
    bool strict = false;  ///< a file that is shorter than the snapshot says is an error
};

/// Makes the answer piece by piece, in bounded memory: first a search backward that notes where the records
/// stand, then their bytes, read again and passed on. The segments it needs stay open until their records are
/// out, so that a removal does not cut an answer short. Lines that are no records are skipped. One thread at
/// a time; blocks on the disk.
class recent_answer {
  public:
    recent_answer(storage::log_snapshot snapshot, recent_request request, std::stop_token stop);
    ~recent_answer();

    /// Appends the next piece of the JSON array to `out`: about 256 KiB, so that a large record comes in
    /// several. Each record stands on a line of its own, as it is stored. False once the answer is complete;
    /// the last piece comes with it. The first call searches. Throws query::stopped, std::system_error, or
    /// query::log_changed, also if a file has been cut that the search had seen whole.
    bool next(std::string& out);

  private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace livelogd::query
