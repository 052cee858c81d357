// SPDX-License-Identifier: MIT
#include "daemon/storage/compressed_segment.hpp"

#include "daemon/storage/zstd_frames.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace livelogd::storage {
namespace {

/// What stands for a damaged frame: no line of it, nor one that goes on from it or into it, is a record.
void fill_with_no_records(char* to, const frame_table::frame& frame) {
    const std::size_t rest = frame.size - frame.line_ends;
    std::memset(to + (frame.ends_line ? 0 : frame.line_ends), '#', rest);
    std::memset(to + (frame.ends_line ? rest : 0), '\n', frame.line_ends);
}

}  // namespace

std::unique_ptr<const compressed_segment> compressed_segment::open(base::unique_fd fd,
                                                                   const std::filesystem::path& path,
                                                                   protocol::record_id first_id,
                                                                   std::shared_ptr<frame_cache> cache) {
    try {
        auto table = read_table(fd.get(), first_id);
        return std::make_unique<const compressed_segment>(std::move(fd), path, std::move(table),
                                                          std::move(cache));
    } catch (const damaged_segment& damage) {
        cache->tell_damage(
            first_id, path,
            std::string("cannot be read, and its records are told as missing: ") + damage.what());
        return nullptr;
    }
}

compressed_segment::compressed_segment(base::unique_fd fd, std::filesystem::path path, frame_table table,
                                       std::shared_ptr<frame_cache> cache)
    : fd_(std::move(fd)),
      path_(std::move(path)),
      table_(std::move(table)),
      cache_(std::move(cache)),
      inode_(segment_source(fd_.get()).identity().inode) {}

std::size_t compressed_segment::read(char* to, std::size_t size, std::uint64_t offset) const {
    const std::uint64_t all = table_.bytes();
    if (offset >= all || size == 0) return 0;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, all - offset));
    std::size_t number = table_.frame_with(offset);
    for (std::size_t done = 0; done < wanted; ++number) {
        const auto bytes = frame(number);
        const auto begin = static_cast<std::size_t>(offset + done - table_.frames[number].begin);
        const std::size_t part = std::min(bytes->size - begin, wanted - done);
        std::memcpy(to + done, bytes->data.get() + begin, part);
        done += part;
    }
    return wanted;
}

shared_frame compressed_segment::frame(std::size_t number) const {
    const frame_cache::key key{.inode = inode_, .first_id = table_.first_id, .frame = number};
    if (auto known = cache_->find(key)) return known;
    const auto& place = table_.frames[number];
    const auto packed = std::make_unique_for_overwrite<char[]>(place.compressed);
    const std::size_t got = segment_source(fd_.get()).read(packed.get(), place.compressed, place.place);
    auto bytes = std::make_unique_for_overwrite<char[]>(place.size);
    if (got != place.compressed || !decompress_frame({packed.get(), got}, bytes.get(), place.size)) {
        const auto first_id = table_.first_id + place.first_line;
        const auto behind = first_id + place.line_ends + (place.ends_line ? 0 : 1);
        cache_->tell_damage(table_.first_id, path_,
                            "is damaged between its bytes " + std::to_string(place.place) + " and "
                                + std::to_string(place.place + place.compressed) + ": the records "
                                + std::to_string(first_id) + " to " + std::to_string(behind - 1)
                                + " cannot be read; there may be more places like this in it");
        fill_with_no_records(bytes.get(), place);
    }
    auto made = std::make_shared<const frame_bytes>(std::move(bytes), place.size);
    cache_->keep(key, made);
    return made;
}

segment_source::line_mark compressed_segment::mark_before(std::uint64_t n) const {
    const auto& frames = table_.frames;
    const auto behind = std::ranges::upper_bound(frames, n, {}, &frame_table::frame::first_line);
    auto number = static_cast<std::size_t>(behind - frames.begin());
    while (number > 1 && !frames[number - 2].ends_line)
        --number;
    if (number <= 1) return {};
    return {.offset = frames[number - 1].begin, .line = frames[number - 1].first_line};
}

}  // namespace livelogd::storage
