// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_chain.hpp"

#include "daemon/base/errno_text.hpp"
#include "daemon/storage/segment_name.hpp"
#include "daemon/storage/segment_replacement.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include <sys/stat.h>

namespace livelogd::storage {

segment_chain::segment_chain(log_directory& directory, state_file& state, syncer& sync,
                             unsynced_records& unsynced, bool keep_unsynced, base::report_sink report,
                             const file_ops& ops, std::shared_ptr<frame_cache> frames, log_contents contents)
    : directory_(directory),
      state_(state),
      sync_(sync),
      unsynced_(unsynced),
      keep_unsynced_(keep_unsynced),
      report_(std::move(report)),
      ops_(ops),
      boot_id_(std::move(contents.boot_id)),
      frames_(std::move(frames)),
      sealed_(std::make_shared<const std::vector<segment_info>>(std::move(contents.sealed))),
      torn_(std::move(contents.torn)),
      active_(std::move(contents.active)),
      active_since_ns_(contents.active_since_ns),
      clock_(contents.last_time_ns) {}

segment_chain::span_of_records segment_chain::that_fit(std::span<const record_batch::record> records) const {
    const std::uint64_t used = active_.info().bytes;
    span_of_records fitting;
    for (const auto& record : records) {
        const std::uint64_t after = used + fitting.bytes + record.size;
        if (after > limits_.segment_max_bytes && used + fitting.bytes > 0) break;
        fitting.bytes += record.size;
        ++fitting.records;
    }
    return fitting;
}

segment_chain::stored segment_chain::store(const shared_records& batch, std::size_t first_record,
                                           std::size_t first_byte) {
    const auto lines = std::string_view(batch->lines).substr(first_byte);
    const auto records = std::span(batch->records).subspan(first_record);
    stored result;
    if (!uncut_.empty()) cut_leftovers();
    // A segment that cannot be sealed, because no new one can be made, grows over its limit until the next
    // batch.
    bool may_seal = true;
    if (suspect_) may_seal = rotate();
    while (result.records < records.size()) {
        if (active_.damaged()) {
            result.error = make_writable();
            if (result.error != 0) return result;
        }
        const auto left = records.subspan(result.records);
        span_of_records part{left.size(), lines.size() - result.bytes};
        if (may_seal) {
            part = that_fit(left);
            if (part.records == 0) {
                may_seal = rotate();
                continue;
            }
        }
        stored_piece piece{batch,
                           first_record + result.records,
                           0,
                           first_byte + result.bytes,
                           0,
                           active_.next_id(),
                           active_.info().first_id,
                           active_.info().bytes};
        if (active_.info().bytes == 0) active_since_ns_ = system_time_ns();
        const auto done = active_.append(lines.substr(result.bytes, part.bytes), left.first(part.records));
        piece.record_count = done.records;
        piece.byte_count = done.bytes;
        if (done.records > 0) {
            // Before the sync thread is told: it releases what it has synced.
            if (keep_unsynced_ || batch->durable || unsynced_.bytes() > 0) unsynced_.add(std::move(piece));
            sync_.written(active_.file(), active_.info().bytes, active_.next_id(), batch->durable);
        }
        result.records += done.records;
        result.bytes += done.bytes;
        if (done.error != 0) {
            // A full disk is full for every file. These may be about this one: another is tried next time.
            suspect_ = done.error == EIO || done.error == EFBIG;
            result.error = done.error;
            return result;
        }
    }
    return result;
}

/// Gets rid of the fragment at the end of the active segment, or of the segment. Returns 0 or an errno.
int segment_chain::make_writable() {
    if (active_.repair()) return 0;
    const int error = errno;
    if (active_.info().bytes > 0) return rotate() ? 0 : error;
    // Nothing but a fragment: no empty segment is ever sealed, so the file is made anew under the same name.
    try {
        begin_segment(write_segment_anew(directory_.path(), active_.next_id(), {}, ops_));
    } catch (const std::system_error& failure) {
        return failure.code().value();
    }
    return 0;
}

/// Seals the active segment and begins the next one. An empty one stays: it is as good as new.
bool segment_chain::rotate() {
    suspect_ = false;
    if (active_.info().bytes == 0) return true;
    try {
        auto next = active_segment::create(directory_.path(), active_.next_id(), ops_);
        auto sealed = std::make_shared<std::vector<segment_info>>(*sealed_);
        auto info = active_.info();
        info.written_ns = system_time_ns();
        struct stat status{};
        if (::fstat(active_.file()->fd.get(), &status) == 0)
            info.written_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
        if (active_.damaged()) uncut_.push_back(info);
        sealed->push_back(info);
        auto file = active_.file();
        begin_segment(std::move(next));
        sealed_ = std::move(sealed);
        sync_.seal(std::move(file), info.bytes, active_.next_id());
    } catch (const std::system_error& failure) {
        if (!rotation_failed_) {
            report_(base::severity::error, std::string(failure.what()) + "; "
                                               + active_path().filename().string() + " grows over its limit");
        }
        rotation_failed_ = true;
        return false;
    }
    rotation_failed_ = false;
    retain();
    return true;
}

void segment_chain::cut_leftovers() {
    std::erase_if(uncut_, [this](const segment_info& one) {
        return cut_segment(directory_.path() / segment_name(one.first_id), one.bytes, ops_) == 0;
    });
}

void segment_chain::begin_segment(active_segment next) {
    active_ = std::move(next);
    directory_.point_current_at(active_.info().first_id);
    save_state(false, state_file::durability::process);
}

bool segment_chain::age() {
    if (limits_.max_age.count() == 0) return false;
    const auto oldest = view().oldest_id();
    const auto first_id = active_.info().first_id;
    const auto age_ns = std::chrono::nanoseconds(limits_.max_age).count();
    const auto now = believed_time();
    active_since_ns_ = std::min(active_since_ns_, now);
    if (active_.info().bytes > 0 && now - active_since_ns_ >= age_ns / age_clock::believed_part) {
        rotate();
    } else {
        retain();
    }
    return view().oldest_id() != oldest || active_.info().first_id != first_id;
}

/// The time by which records grow old. That the clock is not believed has to outlive the daemon, because the
/// files that are written meanwhile have the clock's time.
std::int64_t segment_chain::believed_time() {
    const bool doubted = doubted_at_ns_.has_value();
    const auto told = system_time_ns();
    const auto now = clock_.now(told, running_time(), limits_.max_age);
    doubted_at_ns_ = clock_.doubts() ? std::optional(now) : std::nullopt;
    if (clock_.doubts() != doubted) {
        save_state(false, state_file::durability::process);
        const auto by_clock = segments_to_remove(*sealed_, limits_, active_.info().bytes, told);
        if (!doubted && by_clock > segments_to_remove(*sealed_, limits_, active_.info().bytes, now)) {
            const auto hours =
                std::chrono::duration_cast<std::chrono::hours>(std::chrono::nanoseconds(told - now));
            report_(base::severity::warning,
                    "the clock has gone forward by " + std::to_string(hours.count())
                        + " h since the log was in use; what log_max_age would remove for that stays for a "
                          "day of running, in case the clock is wrong");
        }
    }
    return now;
}

void segment_chain::retain() {
    const auto now = limits_.max_age.count() > 0 ? believed_time() : 0;
    const std::size_t surplus = segments_to_remove(*sealed_, limits_, active_.info().bytes, now);
    if (surplus == 0) return;
    sync_.removing_below(view().id_bound(surplus - 1));
    std::size_t removed = 0;
    // The oldest must go first: a hole in the middle would be worse than a segment too many.
    while (removed < surplus && remove((*sealed_)[removed]))
        ++removed;
    if (removed == 0) return;
    removed_segments_.fetch_add(removed, std::memory_order_relaxed);
    sealed_ = std::make_shared<const std::vector<segment_info>>(
        sealed_->begin() + static_cast<std::ptrdiff_t>(removed), sealed_->end());
    remove_torn_before(view().oldest_id());
}

bool segment_chain::remove(const segment_info& segment) {
    // Where the plain file could not be removed when the compressed one took its place, both are there.
    const bool gone =
        !segment.is_compressed() || remove(directory_.path() / compressed_name(segment.first_id));
    return gone && remove(directory_.path() / segment_name(segment.first_id));
}

bool segment_chain::remove(const std::filesystem::path& path) {
    if (ops_.unlink(path.c_str()) == 0 || errno == ENOENT) {
        removal_failed_ = false;
        return true;
    }
    const int error = errno;
    if (!removal_failed_) {
        report_(base::severity::error, "cannot remove " + path.string() + ": " + base::errno_text(error)
                                           + "; the log grows over what is to be kept");
    }
    removal_failed_ = true;
    return false;
}

void segment_chain::remove_torn_before(protocol::record_id id) {
    auto kept = torn_.begin();
    while (kept != torn_.end() && *kept < id
           && remove(directory_.path() / (segment_name(*kept) + std::string(torn_suffix)))) {
        ++kept;
    }
    torn_.erase(torn_.begin(), kept);
}

log_snapshot segment_chain::view() const {
    return {directory_.path(), sealed_, active_.info(), active_.next_id(), {}, nullptr, lost_, frames_};
}

void segment_chain::note_storing_failed(bool failed) {
    storing_failed_ = failed;
    save_state(false, state_file::durability::process);
}

std::optional<std::string> segment_chain::note_stop(bool clean) {
    storing_failed_ = !clean;
    // Nothing is needed of the disk: a power cut changes the boot id, and then an unclean state lets ids
    // jump.
    if (!clean) return save_state(false, state_file::durability::process);
    cut_leftovers();
    if (active_.damaged()) active_.repair();
    return save_state(true, state_file::durability::power);
}

std::optional<std::string> segment_chain::save_state(bool clean, state_file::durability how,
                                                     std::optional<log_state::cut> cut) {
    return state_.save(
        {boot_id_, clean, next_id(), active_.info().first_id, storing_failed_, cut, doubted_at_ns_}, how);
}

}  // namespace livelogd::storage
