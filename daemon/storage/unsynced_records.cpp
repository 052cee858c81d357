// SPDX-License-Identifier: MIT
#include "daemon/storage/unsynced_records.hpp"

#include <utility>

namespace livelogd::storage {

void unsynced_records::add(stored_piece piece) {
    const std::lock_guard lock(mutex_);
    bytes_ += piece.byte_count;
    pieces_.push_back(std::move(piece));
}

void unsynced_records::release(protocol::record_id end_id) {
    std::vector<stored_piece> released;  // freed after the lock has gone
    const std::lock_guard lock(mutex_);
    while (!pieces_.empty() && pieces_.front().end_id() <= end_id) {
        bytes_ -= pieces_.front().byte_count;
        released.push_back(std::move(pieces_.front()));
        pieces_.pop_front();
    }
}

std::uint64_t unsynced_records::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

std::uint64_t unsynced_records::record_count() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t count = 0;
    for (const auto& piece : pieces_)
        count += piece.record_count;
    return count;
}

std::vector<stored_piece> unsynced_records::all() const {
    const std::lock_guard lock(mutex_);
    return {pieces_.begin(), pieces_.end()};
}

}  // namespace livelogd::storage
