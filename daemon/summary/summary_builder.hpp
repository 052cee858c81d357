// SPDX-License-Identifier: MIT
// Adds up a segment, page by page, while it grows or once it is sealed.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "daemon/summary/record_sums.hpp"
#include "daemon/summary/segment_summary.hpp"
#include "protocol/record_id.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace livelogd::summary {

/// One segment. What it makes is a function of the segment's bytes and the time zone alone. One thread at a
/// time.
class summary_builder {
  public:
    /// `zone` must outlive it. `page_size`: bytes of a page.
    summary_builder(protocol::record_id first_id, const base::time_zone& zone,
                    std::uint64_t page_size = page_bytes)
        : first_id_(first_id), zone_(&zone), page_size_(page_size) {}

    [[nodiscard]] protocol::record_id first_id() const { return first_id_; }

    /// Reads on to `bytes`, the published length of the segment. `sealed`: no more will come, so the last
    /// page ends here. False if the file ends earlier. Blocks on the disk. Throws summary::stopped, after
    /// which it is of no use any more, or std::system_error.
    bool extend(storage::segment_source from, std::uint64_t bytes, bool sealed, const std::stop_token& stop);

    /// What has been read, the page that is not complete yet included.
    [[nodiscard]] shared_summary so_far() const;
    /// How far that reaches in the segment; 0 while nothing can be told.
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    [[nodiscard]] const std::vector<page>& pages() const { return pages_; }
    [[nodiscard]] const std::vector<std::shared_ptr<const segment_summary::page_texts>>& texts() const {
        return texts_;
    }
    /// The sums of all pages together, as record_sums writes them; nothing if they cannot be told exactly.
    [[nodiscard]] std::optional<std::string> whole() const;

  private:
    /// The page that is being added up.
    struct open_page {
        open_page() : sums(record_sums::start::of_stretch) {}

        page place;
        error_place last_error;
        record_sums sums;
        segment_summary::page_texts texts;
    };

    void take(const storage::stored_line& line, const scanned_record* record);
    void take_record(const storage::stored_line& line, const scanned_record& record);
    void close_page();

    protocol::record_id first_id_;
    const base::time_zone* zone_;
    std::uint64_t page_size_;
    std::vector<page> pages_;
    std::vector<std::shared_ptr<const segment_summary::page_texts>> texts_;
    std::optional<open_page> open_;
    std::uint64_t bytes_ = 0;  ///< read so far
    std::uint64_t lines_ = 0;
    bool waits_for_seal_ = false;
};

}  // namespace livelogd::summary
