// SPDX-License-Identifier: MIT
#include "daemon/storage/frame_cache.hpp"

#include <utility>

namespace livelogd::storage {

frame_cache::frame_cache(base::report_sink report, std::size_t most_bytes)
    : report_(std::move(report)), most_bytes_(most_bytes) {}

shared_frame frame_cache::find(const key& of) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(of);
    if (found == by_key_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->frame;
}

void frame_cache::keep(const key& of, shared_frame frame) {
    const std::lock_guard lock(mutex_);
    // Another reader may have been as quick.
    if (by_key_.contains(of)) return;
    bytes_ += frame->size;
    entries_.push_front({of, std::move(frame)});
    by_key_.emplace(of, entries_.begin());
    while (bytes_ > most_bytes_ && !entries_.empty()) {
        bytes_ -= entries_.back().frame->size;
        by_key_.erase(entries_.back().of);
        entries_.pop_back();
    }
}

void frame_cache::tell_damage(protocol::record_id first_id, const std::filesystem::path& path,
                              const std::string& what) {
    {
        const std::lock_guard lock(mutex_);
        if (!told_.insert(first_id).second) return;
    }
    if (report_) report_(base::severity::error, path.string() + " " + what);
}

std::size_t frame_cache::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace livelogd::storage
