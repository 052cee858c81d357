// SPDX-License-Identifier: MIT
#include "daemon/summary/summaries.hpp"

#include "daemon/storage/segment_source.hpp"

#include <algorithm>
#include <system_error>

namespace livelogd::summary {
namespace {

/// Those who ask come back: what is forgotten here is asked for again.
constexpr std::size_t most_missing = 4096;

}  // namespace

summaries::summaries(bool enabled, const base::time_zone& zone, std::size_t cache_bytes,
                     std::size_t run_length)
    : enabled_(enabled), cache_bytes_(cache_bytes), zone_(zone.name()), runs_(run_length) {}

summary_subject summaries::subject_of(protocol::record_id first_id,
                                      const storage::segment_source& segment) const {
    return {.first_id = first_id, .segment = segment.identity(), .zone = zone_};
}

shared_summary summaries::of(const storage::log_snapshot& snapshot, std::size_t i) {
    if (!enabled_ || snapshot.in_memory(i)) return nullptr;
    const storage::segment_info& segment = snapshot.segment(i);
    try {
        const auto identity = storage::identity_of(snapshot, i);
        if (!identity) return nullptr;
        if (auto known = growing(segment.first_id, *identity)) return known;
        if (i >= snapshot.sealed->size() || identity->bytes != segment.bytes) return nullptr;
        if (auto known = remembered(segment.first_id, *identity)) return known;
        auto read = read_summary(snapshot.directory,
                                 {.first_id = segment.first_id, .segment = *identity, .zone = zone_});
        if (!read) {
            note_missing(segment.first_id);
            return nullptr;
        }
        remember({.first_id = segment.first_id, .segment = *identity, .known = read});
        return read;
    } catch (const std::system_error&) {
        return nullptr;
    }
}

shared_summary summaries::growing(protocol::record_id first_id, const storage::file_identity& segment) {
    const std::lock_guard lock(mutex_);
    // A file that has been written anew, after a failed sync, is another one.
    const bool same = growing_ && growing_id_ == first_id && growing_inode_ == segment.inode
                      && growing_->end() <= segment.bytes;
    return same ? growing_ : nullptr;
}

shared_summary summaries::remembered(protocol::record_id first_id, const storage::file_identity& segment) {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(first_id);
    if (found == by_id_.end() || found->second->segment != segment) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->known;
}

void summaries::remember(entry fresh) {
    const std::lock_guard lock(mutex_);
    if (const auto old = by_id_.find(fresh.first_id); old != by_id_.end()) {
        bytes_ -= old->second->known->memory();
        entries_.erase(old->second);
        by_id_.erase(old);
    }
    bytes_ += fresh.known->memory();
    const auto id = fresh.first_id;
    entries_.push_front(std::move(fresh));
    by_id_.emplace(id, entries_.begin());
    while (bytes_ > cache_bytes_ && entries_.size() > 1) {
        bytes_ -= entries_.back().known->memory();
        by_id_.erase(entries_.back().first_id);
        entries_.pop_back();
    }
}

void summaries::publish(protocol::record_id first_id, std::uint64_t inode, shared_summary known) {
    const std::lock_guard lock(mutex_);
    growing_id_ = first_id;
    growing_inode_ = inode;
    growing_ = std::move(known);
}

void summaries::forget(protocol::record_id first_id) {
    const std::lock_guard lock(mutex_);
    if (growing_id_ == first_id) growing_ = nullptr;
    if (const auto old = by_id_.find(first_id); old != by_id_.end()) {
        bytes_ -= old->second->known->memory();
        entries_.erase(old->second);
        by_id_.erase(old);
    }
    if (missing_.size() < most_missing) missing_.insert(first_id);
}

void summaries::note_missing(protocol::record_id first_id) {
    const std::lock_guard lock(mutex_);
    if (missing_.size() < most_missing) missing_.insert(first_id);
}

std::unordered_set<protocol::record_id> summaries::take_missing() {
    const std::lock_guard lock(mutex_);
    return std::exchange(missing_, {});
}

}  // namespace livelogd::summary
