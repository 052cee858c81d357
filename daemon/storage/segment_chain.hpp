// SPDX-License-Identifier: MIT
// The segments of a log as the writer thread sees them: appends, seals, begins new ones, removes old ones.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/storage/active_segment.hpp"
#include "daemon/storage/age_clock.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/frame_cache.hpp"
#include "daemon/storage/log_directory.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/log_state.hpp"
#include "daemon/storage/record_batch.hpp"
#include "daemon/storage/retention.hpp"
#include "daemon/storage/segment_compression.hpp"
#include "daemon/storage/syncer.hpp"
#include "daemon/storage/unsynced_records.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace livelogd::storage {

/// What a log consists of once it is open.
struct log_contents {
    std::vector<segment_info> sealed;       ///< oldest first
    std::vector<protocol::record_id> torn;  ///< first ids of the segments that have a .torn file, in order
    active_segment active;
    std::string boot_id;
    std::int64_t active_since_ns = 0;            ///< when its first record was written, or before; since 1970
    std::optional<std::int64_t> last_time_ns{};  ///< what age_clock begins with
};

/// One thread at a time, except removed_segments(). What it is constructed with by reference must outlive it.
class segment_chain {
  public:
    /// `keep_unsynced`: what is written goes to `unsynced` until it is synced; else only what somebody wants
    /// to be durable, and what follows it.
    segment_chain(log_directory& directory, state_file& state, syncer& sync, unsynced_records& unsynced,
                  bool keep_unsynced, base::report_sink report, const file_ops& ops,
                  std::shared_ptr<frame_cache> frames, log_contents contents);

    /// What retention and sealing go by from now on.
    void set_limits(const log_limits& limits) { limits_ = limits; }
    [[nodiscard]] const log_limits& limits() const { return limits_; }

    struct stored {
        std::size_t records = 0;  ///< from the first one on
        std::size_t bytes = 0;    ///< that they take
        int error = 0;            ///< why the others are not stored; 0 if all are
    };
    /// Stores the batch from that record and that byte of its lines on, sealing segments on the way. A
    /// segment is sealed when the next record would take it over the limit; a record that is larger than the
    /// limit gets a segment of its own. May be called again with what is left.
    stored store(const shared_records& batch, std::size_t first_record, std::size_t first_byte);

    /// After a sync has failed: writes what is unsynced into new files, with the same ids, syncs them, and
    /// cuts the old ones back. Also makes the directory and the active segment again if they are gone.
    /// Returns why that failed; then it may be tried again.
    std::optional<std::string> rewrite();

    /// Removes the segments that retention does not keep.
    void retain();

    /// What max_age asks for though nothing is written: seals the active segment if its first record is an
    /// eighth of that old, and removes what is too old. True if the log is another one now.
    bool age();

    /// The oldest segment that can be compressed now; nothing if there is none.
    [[nodiscard]] std::optional<compression_job> next_to_compress();
    /// Puts a compressed segment in the place of the plain one, if that is still what it was made of; else
    /// removes it. Readers that have the plain file open go on. Returns why that failed, as a sentence; then
    /// all is as it was.
    std::optional<std::string> adopt(const compression_result& made);
    /// This segment stays plain until the next start.
    void do_not_compress(protocol::record_id first_id) { compressed_below_ = first_id + 1; }

    /// The log as it is now.
    [[nodiscard]] log_snapshot view() const;

    [[nodiscard]] const std::shared_ptr<const segment_file>& active_file() const { return active_.file(); }
    [[nodiscard]] const std::filesystem::path& active_path() const { return active_file()->path; }

    /// The id that the next record will get.
    [[nodiscard]] protocol::record_id next_id() const { return active_.next_id(); }

    /// How many records somebody else has removed from the files, as far as it was noticed.
    [[nodiscard]] std::uint64_t lost_records() const { return lost_records_; }

    /// How many segments retention has removed. Any thread.
    [[nodiscard]] std::uint64_t removed_segments() const {
        return removed_segments_.load(std::memory_order_relaxed);
    }

    /// Writes down whether storing fails, in case the daemon dies now. Best effort.
    void note_storing_failed(bool failed);

    /// Writes down that the log has been stopped; `clean` if everything is stored and synced; if not, nothing
    /// is asked of the disk that could take long. Returns what went wrong.
    std::optional<std::string> note_stop(bool clean);

  private:
    struct span_of_records {
        std::size_t records = 0;
        std::size_t bytes = 0;
    };
    void rewrite_segment(std::span<const stored_piece> pieces);
    void replace_active_if_changed();
    void put_in_place(active_segment fresh, protocol::record_id old_id, std::uint64_t kept,
                      std::uint64_t expected);
    void cut_leftovers();
    int cut_or_remove(const std::filesystem::path& path, std::uint64_t kept);
    void note_lost(protocol::record_id from, protocol::record_id to);
    void forget_missing();
    [[nodiscard]] bool is_in_place(const segment_file& file) const;
    [[nodiscard]] span_of_records that_fit(std::span<const record_batch::record> records) const;
    int make_writable();
    bool rotate();
    /// The sync thread makes its name survive a power cut, before anything in it counts as synced.
    void begin_segment(active_segment next);
    bool remove(const std::filesystem::path& path);
    bool remove(const segment_info& segment);
    std::int64_t believed_time();
    [[nodiscard]] bool is_present(protocol::record_id first_id) const;
    void remove_torn_before(protocol::record_id id);
    std::optional<std::string> save_state(bool clean, state_file::durability how,
                                          std::optional<log_state::cut> cut = {});

    log_directory& directory_;
    state_file& state_;
    syncer& sync_;
    unsynced_records& unsynced_;
    const bool keep_unsynced_;
    const base::report_sink report_;
    const file_ops& ops_;
    const std::string boot_id_;
    const std::shared_ptr<frame_cache> frames_;

    std::shared_ptr<const std::vector<segment_info>> sealed_;
    std::shared_ptr<const std::vector<id_range>> lost_ = std::make_shared<const std::vector<id_range>>();
    std::vector<protocol::record_id> torn_;
    /// Segments behind whose last record something stands that could not be cut off; tried again now and
    /// then.
    std::vector<segment_info> uncut_;
    active_segment active_;
    std::int64_t active_since_ns_ = 0;  ///< when its first record was written
    log_limits limits_;
    age_clock clock_;
    std::optional<std::int64_t> doubted_at_ns_;  ///< the time that is believed instead of the clock's
    protocol::record_id compressed_below_ = 0;   ///< all that can be compressed are, that begin before
    std::uint64_t lost_records_ = 0;
    std::atomic<std::uint64_t> removed_segments_{0};
    bool suspect_ = false;          ///< the last write failed in a way that another file may not share
    bool storing_failed_ = false;   ///< what the state file says
    bool rotation_failed_ = false;  ///< reported
    bool removal_failed_ = false;   ///< reported
};

}  // namespace livelogd::storage
