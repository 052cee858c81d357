// SPDX-License-Identifier: MIT
// Matching records with their ids, in either direction over all segments.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/filter/line_sieve.hpp"
#include "daemon/filter/record_filter.hpp"
#include "daemon/query/search_plan.hpp"
#include "daemon/storage/line_ends.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/segment_blocks.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "daemon/summary/record_clock.hpp"
#include "daemon/summary/summaries.hpp"
#include "protocol/scan.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

namespace livelogd::query {

/// What a search works with. All that is passed by reference must outlive it.
struct search_context {
    storage::line_counts& lines;
    const base::time_zone& zone;              ///< of timestamps that name none
    summary::summaries* summaries = nullptr;  ///< if there, they tell what need not be read
    std::stop_token stop = {};
    bool strict = false;  ///< a file that is shorter than the snapshot says is an error
    /// The search stops there, but not before it has looked at a few hundred KiB: so it gets on in any case.
    std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;
};

/// Ids that are looked at: both limits are outside.
struct id_limits {
    protocol::record_id after = 0;
    protocol::record_id before = protocol::max_record_id + 1;
};

struct found_record {
    protocol::record_id id = 0;
    std::size_t segment = 0;           ///< its number in the snapshot
    std::uint64_t offset = 0;          ///< of its first byte in the segment
    std::optional<std::int64_t> time;  ///< microseconds since 1970; only told if the search looks at times
    // These end with the next step of the search.
    filter::record_view view;        ///< its bytes without the LF, and their digest
    protocol::record_fields fields;  ///< views into its bytes

    [[nodiscard]] std::uint64_t size() const { return view.line.size(); }
};

enum class search_step : std::uint8_t {
    found,
    end,          ///< there is none left
    out_of_time,  ///< the deadline has passed
};

/// What both directions share: the log, the filter, the file that is open, and the block of it that is
/// searched. The filter's sieve goes through a whole block at once; only the lines that it leaves are read as
/// records. What a summary tells to hold nothing is not read. Lines that are no records are passed over, and
/// so are segments that retention has removed. One thread at a time; blocks on the disk.
class record_search {
  public:
    record_search(const record_search&) = delete;
    record_search& operator=(const record_search&) = delete;

    /// The file that the last record found is in. Whoever keeps it can read it even after retention removed
    /// it.
    [[nodiscard]] const std::shared_ptr<const storage::segment_handle>& file() const { return file_; }

    /// The id of the last record that has been looked at, or passed over together with its block; nothing
    /// before the first.
    [[nodiscard]] std::optional<protocol::record_id> examined() const { return examined_; }

    /// Times are looked for though the filter does not ask for them.
    void tell_times() { tells_times_ = true; }

    /// Another deadline for the steps to come.
    void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) {
        context_.deadline = deadline;
    }

  protected:
    record_search(const storage::log_snapshot& snapshot, const filter::record_filter& filter,
                  id_limits limits, search_context context);
    ~record_search() = default;

    /// Opens a segment, and plans what to read of it. False if there is nothing to read in it.
    bool open(std::size_t segment);
    /// Takes the first line of a stretch.
    void read_alone(const search_stretch& stretch);
    /// Going backwards: of the open segment nothing is left to be read.
    void pass_segment();
    /// The file has turned out to be shorter than the snapshot says.
    void met_early_end() const;
    std::uint64_t lines_of(const search_stretch& stretch);
    /// Goes to another block, in which the sieve leaves the lines `left_`. Returns how many lines it has.
    std::size_t take(const storage::stored_block& block);
    /// Whether this line of the block, which has this id, is wanted; then `record` tells of it.
    bool examine(const filter::line_place& place, protocol::record_id id, found_record& record);
    /// This record, and all between the last one and it, need not be looked at any more.
    void pass(protocol::record_id id) { examined_ = id; }
    void look_at_stop() const;
    bool deadline_has_passed();

    const storage::log_snapshot& snapshot_;
    const filter::record_filter& filter_;
    const id_limits limits_;
    search_context context_;
    std::size_t segment_ = 0;  ///< the one that is open, or that has been looked at last
    std::shared_ptr<const storage::segment_handle> file_;
    std::vector<search_stretch> plan_;  ///< what to read of that segment
    std::vector<filter::line_place> left_;

  private:
    std::vector<search_stretch> make_plan(std::size_t segment) const;

    storage::forward_blocks alone_;
    storage::stored_block block_;
    protocol::record_scanner scanner_;
    std::optional<summary::record_clock> clock_;
    std::optional<protocol::record_id> examined_;
    bool tells_times_ = false;
    std::uint64_t work_since_look_ = 0;  ///< bytes, and some for each record, since the clock was looked at
};

/// From the newest to the oldest.
class backward_search : public record_search {
  public:
    backward_search(const storage::log_snapshot& snapshot, const filter::record_filter& filter,
                    id_limits limits, search_context context);

    /// The next older matching record. Throws summary::stopped, query::log_changed or std::system_error.
    search_step next(found_record& record);

  private:
    bool next_block();
    void start(const search_stretch& stretch);
    [[nodiscard]] bool is_at_limit() const { return begin_id_ <= limits_.after + 1; }

    storage::backward_blocks blocks_;
    std::size_t older_;                 ///< segments older than the open one
    bool reading_ = false;              ///< blocks of a stretch
    protocol::record_id begin_id_ = 0;  ///< of the block's first line
};

/// From the oldest to the newest.
class forward_search : public record_search {
  public:
    forward_search(const storage::log_snapshot& snapshot, const filter::record_filter& filter,
                   id_limits limits, search_context context);

    /// The next newer matching record. Throws as backward_search does.
    search_step next(found_record& record);

  private:
    bool next_block();
    void start(const search_stretch& stretch);

    storage::forward_blocks blocks_;
    std::size_t next_segment_ = 0;
    std::size_t next_stretch_ = 0;      ///< of the plan
    bool reading_ = false;              ///< blocks of a stretch
    std::size_t next_left_ = 0;         ///< of the lines in left_, the next one
    protocol::record_id begin_id_ = 0;  ///< of the block's first line
    protocol::record_id end_id_ = 0;    ///< one past that of its last one
};

/// The time of one record, for whoever has met it outside a scan. Nothing if it has none, or is gone. Throws
/// as the searches do.
std::optional<std::int64_t> time_of_record(const storage::log_snapshot& snapshot, protocol::record_id id,
                                           const search_context& context);

}  // namespace livelogd::query
