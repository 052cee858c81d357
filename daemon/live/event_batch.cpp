// SPDX-License-Identifier: MIT
#include "daemon/live/event_batch.hpp"

#include "protocol/sse.hpp"

namespace livelogd::live {

event_batch::event_batch(protocol::record_id first_id, const storage::record_batch& batch)
    : first_id_(first_id) {
    constexpr std::size_t frame_overhead = 32;  // "id: ", at most 16 digits, "data: ", the line ends
    frames_.reserve(batch.lines.size() + batch.records.size() * frame_overhead);
    records_.reserve(batch.records.size());
    std::string_view rest = batch.lines;
    for (const auto& r : batch.records) {
        add(rest.substr(0, r.size - 1), r.digest);
        rest.remove_prefix(r.size);
    }
}

void event_batch::add(std::string_view json, const protocol::record_digest& digest) {
    protocol::sse::append_record(frames_, end_id(), json);
    records_.push_back({static_cast<std::uint32_t>(frames_.size()), digest});
}

void event_batch::add_unreadable() {
    records_.push_back({static_cast<std::uint32_t>(frames_.size()), {}});
}

std::string_view event_batch::frame(protocol::record_id id) const {
    return frames(id, id + 1);
}

std::string_view event_batch::frames(protocol::record_id from, protocol::record_id to) const {
    if (from >= to) return {};
    const auto begin = frame_begin(from - first_id_);
    const auto end = records_[to - first_id_ - 1].frame_end;
    return std::string_view(frames_).substr(begin, end - begin);
}

std::string_view event_batch::json(protocol::record_id id) const {
    const auto bytes = frame(id);
    const auto offset = protocol::sse::json_offset(id);
    return bytes.substr(offset, bytes.size() - offset - protocol::sse::json_trailer);
}

const protocol::record_digest& event_batch::digest(protocol::record_id id) const {
    return records_[id - first_id_].digest;
}

std::size_t event_batch::memory() const {
    return sizeof *this + frames_.capacity() + records_.capacity() * sizeof(record);
}

}  // namespace livelogd::live
