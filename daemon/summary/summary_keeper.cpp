// SPDX-License-Identifier: MIT
#include "daemon/summary/summary_keeper.hpp"

#include "daemon/summary/stopped.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

namespace livelogd::summary {
namespace {

/// As polite as can be without being left out for ever.
constexpr int niceness = 19;

/// After a file could not be written: a full disk will not have room the moment after.
constexpr auto retry_pause = std::chrono::seconds(10);

}  // namespace

summary_keeper::summary_keeper(const storage::log& log, summaries& known, const base::time_zone& zone,
                               base::report_sink report, std::chrono::milliseconds pause)
    : log_(log),
      known_(known),
      zone_(zone),
      report_(std::move(report)),
      pause_(pause),
      burst_(log.snapshot().next_id, std::chrono::steady_clock::now()) {}

summary_keeper::~summary_keeper() = default;

void summary_keeper::start() {
    if (!known_.enabled()) return;
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void summary_keeper::run(const std::stop_token& stop) {
    // On Linux a thread has a niceness of its own. If it cannot be set, this thread competes like any other.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
    while (!stop.stop_requested()) {
        try {
            if (std::chrono::steady_clock::now() >= next_try_) look(stop);
        } catch (const stopped&) {
            return;
        } catch (const std::exception& error) {
            // What it holds may have been left half done: it begins anew.
            growing_.reset();
            note_failure(error.what());
        }
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, stop, pause_, [] { return false; });
    }
}

void summary_keeper::look(const std::stop_token& stop) {
    // Their segments have been edited, or their files are damaged.
    for (const auto id : known_.take_missing())
        if (!untold_.contains(id)) kept_.erase(id);
    const auto snapshot = log_.snapshot();
    if (oldest_ != snapshot.oldest_id()) {
        remove_left_over(snapshot);
        const auto is_gone = [&](protocol::record_id id) { return id < snapshot.oldest_id(); };
        std::erase_if(kept_, is_gone);
        std::erase_if(untold_, is_gone);
        oldest_ = snapshot.oldest_id();
    }
    // One after the other, so that a long history does not keep the newest records waiting.
    bool more = true;
    while (more) {
        const auto now = log_.snapshot();
        if (burst_.should_wait(now.next_id, std::chrono::steady_clock::now())) return;
        more = keep_newest_sealed(now, stop);
        follow_growing(now, stop);
    }
    failed_ = false;
}

/// The newest first: they are asked for most, and the one that has just been sealed goes on with what is
/// known of it. False if all are kept.
bool summary_keeper::keep_newest_sealed(const storage::log_snapshot& snapshot, const std::stop_token& stop) {
    for (auto i = snapshot.sealed->size(); i > 0; --i) {
        const auto id = snapshot.segment(i - 1).first_id;
        if (kept_.contains(id)) continue;
        keep_sealed(snapshot, i - 1, stop);
        kept_.insert(id);
        return true;
    }
    return false;
}

void summary_keeper::follow_growing(const storage::log_snapshot& snapshot, const std::stop_token& stop) {
    const auto active = snapshot.sealed->size();
    const storage::segment_info& segment = snapshot.segment(active);
    const auto fd = storage::open_segment(snapshot, active);
    if (!fd) return;
    const auto subject = known_.subject_of(segment.first_id, fd.get());
    const bool goes_on =
        growing_ && growing_->first_id() == segment.first_id && growing_inode_ == subject.segment.inode;
    if (!goes_on) {
        growing_.emplace(segment.first_id, zone_);
        growing_inode_ = subject.segment.inode;
    }
    const auto known_bytes = growing_->bytes();
    const bool whole = growing_->extend(fd.get(), segment.bytes, false, stop);
    if (!whole) growing_.reset();
    if (!whole || !goes_on || growing_->bytes() != known_bytes)
        known_.publish(segment.first_id, growing_inode_, whole ? growing_->so_far() : nullptr);
}

void summary_keeper::keep_sealed(const storage::log_snapshot& snapshot, std::size_t i,
                                 const std::stop_token& stop) {
    const storage::segment_info& segment = snapshot.segment(i);
    const auto fd = storage::open_segment(snapshot, i);
    if (!fd) return;
    const auto subject = known_.subject_of(segment.first_id, fd.get());
    // A file with more or fewer bytes than the log has published is not for keeps.
    if (subject.segment.bytes != segment.bytes) return;
    if (read_summary(snapshot.directory, subject)) return;
    summary_builder fresh(segment.first_id, zone_);
    const bool goes_on =
        growing_ && growing_->first_id() == segment.first_id && growing_inode_ == subject.segment.inode;
    summary_builder& built = goes_on ? *growing_ : fresh;
    if (!built.extend(fd.get(), segment.bytes, true, stop)) return;
    if (!write_summary(snapshot.directory, subject, built)) untold_.insert(segment.first_id);
}

void summary_keeper::remove_left_over(const storage::log_snapshot& snapshot) {
    for (const auto& entry : std::filesystem::directory_iterator(snapshot.directory)) {
        const auto id = parse_summary_name(entry.path().filename().native());
        if (!id) continue;
        const bool unfinished = entry.path().extension() != ".summary";
        if (unfinished || *id < snapshot.oldest_id()) std::filesystem::remove(entry.path());
    }
}

void summary_keeper::note_failure(const char* why) {
    next_try_ = std::chrono::steady_clock::now() + retry_pause;
    if (std::exchange(failed_, true)) return;
    report_(base::severity::warning,
            std::string("summaries wait, and statistics read the log itself meanwhile: ") + why);
}

}  // namespace livelogd::summary
