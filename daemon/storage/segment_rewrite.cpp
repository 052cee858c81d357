// SPDX-License-Identifier: MIT
// What the chain of segments does when files cannot be trusted: a sync has failed, or somebody has moved,
// removed or cut them. The part of segment_chain for bad days.
#include "daemon/base/errno_text.hpp"
#include "daemon/storage/segment_chain.hpp"
#include "daemon/storage/segment_name.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "daemon/storage/segment_replacement.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace livelogd::storage {

namespace {

std::uint64_t count_lines(const std::filesystem::path& file, std::uint64_t bytes) {
    const base::unique_fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return 0;
    std::uint64_t count = 0;
    forward_reader lines(fd.get(), 0, bytes);
    for (stored_line line; lines.next(line);)
        ++count;
    return count;
}

}  // namespace

std::optional<std::string> segment_chain::rewrite() {
    try {
        directory_.reattach();
        const auto pieces = unsynced_.all();
        for (auto begin = pieces.begin(); begin != pieces.end();) {
            const auto end = std::find_if(begin, pieces.end(), [begin](const stored_piece& piece) {
                return piece.segment != begin->segment;
            });
            rewrite_segment({begin, end});
            begin = end;
        }
        replace_active_if_changed();
        forget_missing();
        directory_.sync();
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    suspect_ = false;
    cut_leftovers();
    directory_.point_current_at(active_.info().first_id);
    save_state(false, state_file::durability::process);
    return std::nullopt;
}

/// All of them are in one segment, which they end.
void segment_chain::rewrite_segment(std::span<const stored_piece> pieces) {
    const protocol::record_id first_id = pieces.front().first_id;
    const protocol::record_id old_id = pieces.front().segment;
    const std::uint64_t synced = pieces.front().offset;
    const std::uint64_t written = pieces.back().offset + pieces.back().byte_count;
    const auto old_path = directory_.path() / segment_name(old_id);

    const bool is_ours = old_id != active_.info().first_id || is_in_place(*active_.file());
    const std::uint64_t kept = is_ours ? trusted_length(old_path, synced, written) : 0;
    // Should the daemon die between the two steps, the next start does the second.
    if (kept > 0) save_state(false, state_file::durability::process, log_state::cut{old_id, kept, first_id});
    active_segment fresh = write_segment_anew(directory_.path(), first_id, pieces, ops_);
    directory_.sync();
    if (first_id != old_id && is_ours) {
        if (const int error = cut_or_remove(old_path, kept)) {
            if (kept > 0) uncut_.push_back({old_id, kept});
            report_(base::severity::error, "cannot cut " + old_path.string() + ": " + base::errno_text(error)
                                               + "; what follows byte " + std::to_string(kept)
                                               + " is also in " + fresh.file()->path.filename().string());
        }
    }
    put_in_place(std::move(fresh), old_id, kept, synced);
    unsynced_.release(pieces.back().end_id());
}

/// Returns 0 or an errno. A segment of which nothing is left is removed: empty ones are not sealed.
int segment_chain::cut_or_remove(const std::filesystem::path& path, std::uint64_t kept) {
    if (kept > 0) return cut_segment(path, kept, ops_);
    return ops_.unlink(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

/// `fresh` stands for what `old_id` held from `expected` bytes on; of those before, `kept` are left.
void segment_chain::put_in_place(active_segment fresh, protocol::record_id old_id, std::uint64_t kept,
                                 std::uint64_t expected) {
    const auto first_id = fresh.info().first_id;
    if (kept < expected) {
        const auto left = count_lines(directory_.path() / segment_name(old_id), kept);
        note_lost(old_id + left, first_id - 1);
    }
    auto sealed = std::make_shared<std::vector<segment_info>>(*sealed_);
    std::erase_if(*sealed, [old_id](const segment_info& one) { return one.first_id == old_id; });
    if (kept > 0) sealed->push_back({old_id, kept, system_time_ns()});
    if (old_id == active_.info().first_id) {
        active_ = std::move(fresh);
    } else {
        auto info = fresh.info();
        info.written_ns = system_time_ns();
        sealed->push_back(info);
    }
    std::ranges::sort(*sealed, {}, &segment_info::first_id);
    sealed_ = std::move(sealed);
}

void segment_chain::replace_active_if_changed() {
    const auto info = active_.info();
    const bool is_ours = is_in_place(*active_.file());
    const auto path = active_path();
    const std::uint64_t kept = is_ours ? trusted_length(path, info.bytes, info.bytes) : 0;
    if (is_ours && kept == info.bytes) return;
    active_segment fresh = write_segment_anew(directory_.path(), active_.next_id(), {}, ops_);
    if (is_ours && fresh.info().first_id != info.first_id) cut_or_remove(path, kept);
    put_in_place(std::move(fresh), info.first_id, kept, info.bytes);
}

/// Whether the file's name still leads to it.
bool segment_chain::is_in_place(const segment_file& file) const {
    struct stat named{};
    struct stat open{};
    return ::stat(file.path.c_str(), &named) == 0 && ::fstat(file.fd.get(), &open) == 0
           && named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

void segment_chain::note_lost(protocol::record_id from, protocol::record_id to) {
    if (from > to) return;
    lost_records_ += to - from + 1;
    report_(base::severity::error, "the records " + std::to_string(from) + " to " + std::to_string(to)
                                       + " are gone: somebody has removed them from the log's files");
    auto lost = std::make_shared<std::vector<id_range>>(*lost_);
    lost->push_back({from, to});
    std::ranges::sort(*lost, {}, &id_range::from);
    lost_ = std::move(lost);
}

/// The oldest segments whose files somebody has removed. One that is missing in the middle stays listed, so
/// that readers are told of the gap.
void segment_chain::forget_missing() {
    const auto& all = *sealed_;
    const auto first =
        std::ranges::find_if(all, [this](const segment_info& one) { return is_present(one.first_id); });
    if (first == all.begin()) return;
    sealed_ = std::make_shared<const std::vector<segment_info>>(first, all.end());
}

bool segment_chain::is_present(protocol::record_id first_id) const {
    const auto missing = [](const std::filesystem::path& path) {
        return ::access(path.c_str(), F_OK) != 0 && errno == ENOENT;
    };
    return !missing(directory_.path() / segment_name(first_id))
           || !missing(directory_.path() / compressed_name(first_id));
}

}  // namespace livelogd::storage
