// SPDX-License-Identifier: MIT
// The writer thread: takes batches, stores them, and tells what has been stored.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/storage/held_records.hpp"
#include "daemon/storage/log_listener.hpp"
#include "daemon/storage/log_options.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/record_batch.hpp"
#include "daemon/storage/retention.hpp"
#include "daemon/storage/segment_chain.hpp"
#include "daemon/storage/segment_compressor.hpp"
#include "daemon/storage/syncer.hpp"
#include "daemon/storage/unsynced_records.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace livelogd::storage {

/// While storing works, a batch is written, then shown to readers. While it fails, batches are held in memory
/// and shown from there, and once in a while storing is tried again: first what is in files that cannot be
/// trusted is written anew, then what is held is written, in order, and then all is as before. All members
/// from any thread, except that start and stop must not be called at the same time.
class log_writer {
  public:
    /// `chain`, `sync`, `unsynced` and `compressor` must outlive it; the chain belongs to the thread from
    /// start to the end of stop. `synced_end`: everything below had been synced when the log was opened.
    log_writer(segment_chain& chain, syncer& sync, unsynced_records& unsynced, segment_compressor& compressor,
               const log_options& options, protocol::record_id synced_end, base::report_sink report);
    ~log_writer();
    log_writer(const log_writer&) = delete;
    log_writer& operator=(const log_writer&) = delete;

    void start(log_listener& listener);
    /// Returns the id behind the batch's last one.
    protocol::record_id submit(record_batch batch);
    void set_limits(const log_limits& limits);

    /// The sync thread has something to tell: everything below `end_id` is synced; or look at its failure().
    void on_synced(protocol::record_id end_id);
    void on_sync_failed();
    /// The compressor has a result. Any time from start to join.
    void on_compressed();

    [[nodiscard]] std::uint64_t pending_bytes() const {
        return pending_bytes_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] log_snapshot snapshot() const;
    [[nodiscard]] std::optional<std::string> trouble() const;
    /// How often storing has begun to fail.
    [[nodiscard]] std::uint64_t outages() const { return outages_.load(std::memory_order_relaxed); }

    struct unfinished {
        std::uint64_t unstored = 0;  ///< records in no file
        bool doubtful = false;       ///< records were in a file that could not be synced, and not in memory
        bool hangs = false;          ///< a system call has not returned: the thread has not ended
    };
    /// Stores what was handed over and has it synced, at most until `limit`, and only until `deadline` if
    /// storing fails; ends the thread.
    unfinished stop(std::chrono::steady_clock::time_point deadline,
                    std::chrono::steady_clock::time_point limit);

    /// After stop: waits for a call that hangs.
    void join();

  private:
    using clock = std::chrono::steady_clock;

    /// What is true while storing fails.
    struct outage {
        std::string reason;
        clock::time_point since;
        clock::time_point retry_at;
        std::chrono::milliseconds pause;   ///< between two tries
        bool files_suspect = false;        ///< a sync has failed: what is unsynced has to be written anew
        protocol::record_id shown_to = 0;  ///< from here on records are not shown: memory has run out
        // Where the files end for readers until it is over; what follows is shown from memory.
        protocol::record_id segment = 0;
        std::uint64_t offset = 0;
        protocol::record_id boundary = 0;  ///< the id there
        std::uint64_t held_records = 0;    ///< at most
        std::uint64_t rewritten = 0;
        std::uint64_t lost_before = 0;                  ///< what chain_.lost_records() was
        bool doubtful = false;                          ///< not all that is unsynced is in memory
        std::vector<held_records::waiting_batch> late;  ///< written, and not shown yet
    };

    void run();
    bool wait_for_work(std::vector<shared_records>& work);
    void take(const shared_records& batch);
    void hold(const shared_records& batch, protocol::record_id first_id, segment_chain::stored written);
    void wait_for_the_disk();
    void look_at_syncs();
    void take_limits();
    [[nodiscard]] bool can_take_limits() const;
    void look_at_age();
    void look_at_compression();
    void put_in_place(const compression_result& made);
    void begin_outage(std::string reason, std::chrono::milliseconds pause, std::uint64_t unsynced_records);
    void distrust_files();
    void try_again();
    bool write_held();
    void end_outage();
    [[nodiscard]] std::string cannot_store(int error) const;
    void note_failure(std::string reason);
    segment_chain::stored store(const shared_records& batch, std::size_t first_record,
                                std::size_t first_byte);
    void publish();
    [[nodiscard]] std::chrono::milliseconds longer(std::chrono::milliseconds pause) const;
    [[nodiscard]] bool out_of_time() const;

    segment_chain& chain_;
    syncer& sync_;
    unsynced_records& unsynced_;
    segment_compressor& compressor_;
    const std::chrono::milliseconds retry_interval_;
    const std::chrono::milliseconds compress_retry_interval_;
    const std::uint64_t unsynced_max_bytes_;
    const base::report_sink report_;
    log_listener* listener_ = nullptr;

    std::atomic<std::uint64_t> pending_bytes_{0};
    std::atomic<std::uint64_t> pending_records_{0};
    std::atomic<protocol::record_id> synced_end_;
    std::atomic<std::uint64_t> outages_{0};

    mutable std::mutex mutex_;  ///< guards what is handed over; held for moments
    std::condition_variable wake_;
    std::vector<shared_records> pending_;
    protocol::record_id next_id_;  ///< that the next batch handed over gets
    log_limits limits_;
    bool limits_changed_ = true;
    bool sync_told_ = false;  ///< something about syncing has changed
    bool compression_told_ = false;
    bool stopping_ = false;
    bool over_ = true;  ///< the thread has ended, or never began
    std::condition_variable ended_;
    clock::time_point deadline_;  ///< until when storing is tried again once stopping_
    clock::time_point limit_;     ///< until when anything is done once stopping_

    mutable std::mutex view_mutex_;  ///< guards what is published; held for moments
    log_snapshot view_;
    std::optional<std::string> trouble_;

    // The writer thread's own.
    protocol::record_id taken_end_;  ///< the id that the next batch that is taken has
    held_records held_;
    std::optional<outage> outage_;
    clock::time_point age_look_at_ = clock::time_point::max();  ///< when ages are looked at next
    bool compressing_ = false;                                  ///< a job or a result is with the compressor
    std::optional<clock::time_point> compress_again_at_;        ///< not before, after a failure
    bool compression_failed_ = false;                           ///< reported
    bool doubtful_ = false;
    bool hurried_ = false;  ///< the last tries of a stop have begun
    std::chrono::milliseconds last_pause_{0};
    clock::time_point last_outage_end_;
    std::thread thread_;
};

}  // namespace livelogd::storage
