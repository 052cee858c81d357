// SPDX-License-Identifier: MIT
#include "daemon/live/catch_up.hpp"

#include "daemon/storage/segment_reader.hpp"

#include <algorithm>

namespace livelogd::live {
namespace {

/// Indexes of segments kept for readers on their way through the log: a few hundred bytes each.
constexpr std::size_t max_indexes = 64;

/// There is no record with the ids from `wanted` to `to`: they were never given, before a jump, or somebody
/// has removed them from the files.
caught_up skip(const storage::log_snapshot& snapshot, protocol::record_id wanted, protocol::record_id to) {
    for (const auto& lost : *snapshot.lost) {
        if (lost.to < wanted || lost.from > to) continue;
        return {nullptr, to, caught_up::removed{std::max(wanted, lost.from), std::min(to, lost.to)}};
    }
    return {nullptr, to, std::nullopt};
}

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
    const auto file = storage::open_segment(snapshot, i);
    if (!file) {
        // Removed since the snapshot was taken; by retention, then the next snapshot says so, or by somebody
        // else, then it never will.
        const auto bound = snapshot.id_bound(i) - 1;
        if (bound < wanted) return {nullptr, position, std::nullopt};
        return {nullptr, bound, caught_up::removed{wanted, bound}};
    }

    auto& index = index_of({segment.first_id, snapshot.in_memory(i)});
    index.extend(file.get(), segment.bytes);
    const auto block = index.block_with(wanted);
    if (block && wanted < snapshot.id_bound(i)) {
        auto batch = load(file.get(), *block);
        if (wanted < batch->end_id()) {
            if (batch->end_id() == block->end_id) keep(batch);
            return {std::move(batch), position, std::nullopt};
        }
        // The file is shorter than it was: its end has been written anew elsewhere, or somebody has cut it.
        if (has_changed(snapshot, i)) return {nullptr, position, std::nullopt};
        return {nullptr, block->end_id - 1, caught_up::removed{wanted, block->end_id - 1}};
    }
    if (wanted >= index.end_id() && has_changed(snapshot, i)) return {nullptr, position, std::nullopt};
    return skip(snapshot, wanted, std::max(position, snapshot.id_bound(i) - 1));
}

bool catch_up::has_changed(const storage::log_snapshot& seen, std::size_t i) const {
    const auto now = log_.snapshot();
    return i >= now.segment_count() || now.segment(i).first_id != seen.segment(i).first_id
           || now.segment(i).bytes < seen.segment(i).bytes || now.in_memory(i) != seen.in_memory(i);
}

shared_batch catch_up::load(storage::segment_source from, const storage::record_block& block) {
    blocks_read_.fetch_add(1, std::memory_order_relaxed);
    auto batch = std::make_shared<event_batch>(block.first_id);
    storage::forward_reader reader(from, block.begin, block.end);
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

storage::segment_index& catch_up::index_of(index_key key) {
    const auto it = std::ranges::find(indexes_, key, [](const auto& entry) { return entry.first; });
    if (it != indexes_.end()) {
        indexes_.splice(indexes_.begin(), indexes_, it);
    } else {
        indexes_.emplace_front(key, storage::segment_index(key.first_id));
        if (indexes_.size() > max_indexes) indexes_.pop_back();
    }
    return indexes_.front().second;
}

std::uint64_t catch_up::unreadable_lines() const {
    const std::lock_guard lock(cache_mutex_);
    return unreadable_lines_;
}

}  // namespace livelogd::live
