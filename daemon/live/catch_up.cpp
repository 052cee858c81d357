// SPDX-License-Identifier: MIT
#include "daemon/live/catch_up.hpp"

#include "daemon/storage/segment_reader.hpp"

#include <algorithm>

namespace livelogd::live {
namespace {

/// Indexes of segments kept for readers on their way through the log: a few hundred bytes each.
constexpr std::size_t max_indexes = 64;

}  // namespace

shared_batch catch_up::find(protocol::record_id position) {
    const std::lock_guard lock(cache_mutex_);
    const auto id = position + 1;
    const auto it = std::ranges::find_if(
        cache_, [id](const shared_batch& b) { return b->first_id() <= id && id < b->end_id(); });
    if (it == cache_.end()) return nullptr;
    cache_.splice(cache_.begin(), cache_, it);
    return cache_.front();
}

caught_up catch_up::read(protocol::record_id position, const std::stop_token& stopping) {
    const std::lock_guard reading(reading_mutex_);
    if (stopping.stop_requested()) return {nullptr, position, std::nullopt};
    if (auto batch = find(position)) return {std::move(batch), position, std::nullopt};

    const auto wanted = position + 1;
    const auto snapshot = log_.snapshot();
    if (wanted >= snapshot.next_id) return {nullptr, position, std::nullopt};
    if (wanted < snapshot.oldest_id()) {
        const auto to = snapshot.oldest_id() - 1;
        return {nullptr, to, caught_up::removed{wanted, to}};
    }
    std::size_t i = snapshot.segment_count() - 1;
    while (snapshot.segment(i).first_id > wanted)
        --i;
    const auto& segment = snapshot.segment(i);
    const auto file = storage::open_segment(snapshot.directory, segment);
    if (!file) {
        // Removed since the snapshot was taken; by retention, then the next snapshot says so, or by somebody
        // else, then it never will.
        const auto bound = snapshot.id_bound(i) - 1;
        if (bound < wanted) return {nullptr, position, std::nullopt};
        return {nullptr, bound, caught_up::removed{wanted, bound}};
    }

    auto& index = index_of(segment);
    index.extend(file.get(), segment.bytes);
    if (const auto block = index.block_with(wanted)) {
        return {load(file.get(), *block, wanted), position, std::nullopt};
    }
    // Ids that were never given, before a jump: go on with the next segment.
    return {nullptr, std::max(position, snapshot.id_bound(i) - 1), std::nullopt};
}

shared_batch catch_up::load(int fd, const storage::record_block& block, protocol::record_id wanted) {
    auto batch = std::make_shared<event_batch>(block.first_id);
    storage::forward_reader reader(fd, block.begin, block.end);
    storage::stored_line line;
    protocol::record_fields fields;
    std::uint64_t unreadable = 0;
    while (reader.next(line)) {
        if (scanner_.scan_record(line.bytes, fields)) {
            batch->add_unreadable();
            ++unreadable;
        } else {
            batch->add(line.bytes, protocol::record_digest::of(line.bytes, fields));
        }
    }
    {
        const std::lock_guard lock(cache_mutex_);
        unreadable_lines_ += unreadable;
    }
    // Somebody has cut the file under us: what is missing counts as unreadable, so that the reader gets on.
    while (batch->end_id() <= wanted)
        batch->add_unreadable();
    keep(batch);
    return batch;
}

void catch_up::keep(shared_batch batch) {
    const std::lock_guard lock(cache_mutex_);
    // A shorter version of the block, read while records were still being added to it, makes room for this
    // one.
    cached_bytes_ += batch->memory();
    std::erase_if(cache_, [&](const shared_batch& old) {
        const bool same = old->first_id() == batch->first_id();
        if (same) cached_bytes_ -= old->memory();
        return same;
    });
    cache_.push_front(std::move(batch));
    while (cached_bytes_ > limit_ && cache_.size() > 1) {
        cached_bytes_ -= cache_.back()->memory();
        cache_.pop_back();
    }
}

storage::segment_index& catch_up::index_of(const storage::segment_info& segment) {
    const auto it =
        std::ranges::find(indexes_, segment.first_id, [](const auto& entry) { return entry.first; });
    if (it != indexes_.end()) {
        indexes_.splice(indexes_.begin(), indexes_, it);
    } else {
        indexes_.emplace_front(segment.first_id, storage::segment_index(segment.first_id));
        if (indexes_.size() > max_indexes) indexes_.pop_back();
    }
    return indexes_.front().second;
}

std::uint64_t catch_up::unreadable_lines() const {
    const std::lock_guard lock(cache_mutex_);
    return unreadable_lines_;
}

}  // namespace livelogd::live
