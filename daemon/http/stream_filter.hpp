// SPDX-License-Identifier: MIT
// What the filter of a stream says of batches of records.
#pragma once

#include "daemon/filter/record_filter.hpp"
#include "daemon/http/stream_sources.hpp"

#include <string>
#include <utility>

namespace livelogd::http {

/// A value: what function() gives may outlive the stream.
class stream_filter {
  public:
    stream_filter(filter::record_filter filter, stream_sources sources)
        : filter_(std::move(filter)),
          sources_(std::move(sources)),
          passes_everything_(filter_.passes_everything()) {}

    [[nodiscard]] bool passes_everything() const { return passes_everything_; }
    /// Equal keys: the same records.
    [[nodiscard]] const std::string& key() const { return filter_.key(); }

    /// The records of the batch that fit, if that is known or quickly found; else null: function() finds
    /// them.
    [[nodiscard]] live::batch_matches at_once(const live::shared_batch& batch) const;

    /// Goes through a batch, on a worker thread.
    [[nodiscard]] live::match_function function() const;

  private:
    filter::record_filter filter_;
    stream_sources sources_;
    bool passes_everything_;
};

}  // namespace livelogd::http
