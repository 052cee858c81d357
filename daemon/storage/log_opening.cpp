// SPDX-License-Identifier: MIT
#include "daemon/storage/log_opening.hpp"

#include "daemon/base/errno_text.hpp"
#include "daemon/storage/compressed_recovery.hpp"
#include "daemon/storage/segment_name.hpp"
#include "daemon/storage/segment_replacement.hpp"
#include "daemon/storage/start_rule.hpp"
#include "daemon/storage/tail_recovery.hpp"
#include "protocol/scan.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace livelogd::storage {

namespace {

protocol::record_id now_us() {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count();
    return us > 0 ? static_cast<protocol::record_id>(us) : 0;  // a clock before 1970 is as good as none
}

struct newest_segment {
    std::shared_ptr<const segment_file> file;
    recovered_tail tail;
};

newest_segment recover_newest(const std::filesystem::path& directory, protocol::record_id first_id) {
    auto file = std::make_shared<segment_file>();
    file->first_id = first_id;
    file->path = directory / segment_name(first_id);
    file->fd = base::unique_fd(::open(file->path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
    if (!file->fd) {
        throw log_error(log_error::kind::io, "cannot open " + file->path.string() + ": "
                                                 + base::errno_text(errno)
                                                 + "; make the file belong to the daemon's user");
    }
    protocol::record_scanner scanner;
    protocol::record_fields fields;
    try {
        auto tail = recover_tail(directory, first_id, file->fd.get(), [&](std::string_view line) {
            return !scanner.scan_record(line, fields).has_value();
        });
        return {std::move(file), std::move(tail)};
    } catch (const std::system_error& error) {
        throw log_error(log_error::kind::io, "cannot read " + file->path.string() + ": "
                                                 + error.code().message()
                                                 + "; move the file elsewhere, or choose another log_dir");
    }
}

void report_tail(const base::report_sink& report, const std::filesystem::path& path,
                 const recovered_tail& tail) {
    if (!tail.failure.empty()) {
        report(base::severity::warning, path.string() + " ends with " + std::to_string(tail.torn_bytes)
                                            + " bytes that are no record; they stay there: " + tail.failure);
    } else if (tail.torn_bytes > 0) {
        report(base::severity::warning, path.string() + " ended with " + std::to_string(tail.torn_bytes)
                                            + " bytes that are no record; they are kept in "
                                            + tail.torn_file.string());
    }
}

void report_recovery(const base::report_sink& report, const newest_segment& newest,
                     const start_decision& decision) {
    report_tail(report, newest.file->path, newest.tail);
    if (decision.jumped_from) {
        report(base::severity::info, "the last stop may have lost records: ids go on at "
                                         + std::to_string(decision.next_id) + " instead of "
                                         + std::to_string(*decision.jumped_from));
    }
}

/// When the file was made, which was before its first record was written; `written_ns`: when it was written
/// last, for file systems that do not tell.
std::int64_t made_at_ns(const segment_file& file, std::int64_t written_ns) {
    struct statx status{};
    const bool told = ::statx(file.fd.get(), "", AT_EMPTY_PATH, STATX_BTIME, &status) == 0
                      && (status.stx_mask & STATX_BTIME) != 0;
    if (!told) return written_ns;
    return std::min<std::int64_t>(written_ns,
                                  status.stx_btime.tv_sec * 1'000'000'000 + status.stx_btime.tv_nsec);
}

/// A power cut may leave empty files behind. They hold nothing, and would count as segments.
void drop_empty(std::vector<segment_info>& sealed, const std::filesystem::path& directory,
                const file_ops& ops) {
    std::erase_if(sealed, [&](const segment_info& segment) {
        if (segment.bytes > 0 || segment.is_compressed()) return false;
        const auto path = directory / segment_name(segment.first_id);
        return ops.unlink(path.c_str()) == 0 || errno == ENOENT;
    });
}

/// What was written anew is in the other segment: this one was to be cut when the daemon died.
void finish_cut(const std::filesystem::path& directory, const log_state::cut& cut,
                const base::report_sink& report, const file_ops& ops) {
    if (::access((directory / segment_name(cut.goes_on)).c_str(), F_OK) != 0) return;
    const auto path = directory / segment_name(cut.segment);
    if (const int error = cut_segment(path, cut.bytes, ops)) {
        report(base::severity::error, "cannot cut " + path.string() + ": " + base::errno_text(error)
                                          + "; what follows byte " + std::to_string(cut.bytes)
                                          + " is also in " + segment_name(cut.goes_on));
    }
}

/// Cuts the tails of the sealed segments back, as the newest one's. Looks at the end of each file, and reads
/// the whole of those that are torn. Returns how many bytes were cut.
std::uint64_t recover_sealed(log_directory::contents& found, const newest_segment& newest,
                             const std::filesystem::path& directory, const base::report_sink& report,
                             recovery& recovered) {
    std::uint64_t torn_bytes = 0;
    protocol::record_scanner scanner;
    protocol::record_fields fields;
    const auto is_record = [&](std::string_view line) {
        return !scanner.scan_record(line, fields).has_value();
    };
    for (segment_info& segment : found.segments) {
        if (newest.file && segment.first_id == newest.file->first_id) continue;
        if (segment.is_compressed()) continue;  // they were synced before they got their names
        const auto path = directory / segment_name(segment.first_id);
        const base::unique_fd fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
        if (!fd) continue;  // readers will tell
        try {
            if (ends_with_record(fd.get(), segment.bytes, is_record)) continue;
            const auto tail = recover_tail(directory, segment.first_id, fd.get(), is_record);
            report_tail(report, path, tail);
            if (!tail.failure.empty()) continue;
            segment.bytes = tail.bytes;
            torn_bytes += tail.torn_bytes;
            recovered.torn_file = tail.torn_file;
            if (!std::ranges::binary_search(found.torn, segment.first_id)) {
                found.torn.insert(std::ranges::upper_bound(found.torn, segment.first_id), segment.first_id);
            }
        } catch (const std::system_error& error) {
            report(base::severity::error, "cannot read " + path.string() + ": " + error.code().message());
        }
    }
    return torn_bytes;
}

active_segment begin_segment(log_directory& directory, protocol::record_id first_id, const file_ops& ops) {
    try {
        return active_segment::create(directory.path(), first_id, ops);
    } catch (const std::system_error& error) {
        throw log_error(log_error::kind::io, std::string(error.what())
                                                 + "; give the daemon's user the right and the room to write there, or "
                                                   "choose another directory with log_dir");
    }
}

}  // namespace

opened_log open_log(log_directory& directory, state_file& state, const base::report_sink& report,
                    const file_ops& ops) {
    start_facts facts;
    facts.state = state.load();
    if (facts.state && facts.state->pending_cut)
        finish_cut(directory.path(), *facts.state->pending_cut, report, ops);
    log_directory::contents found = directory.list();
    for (const auto& path : found.unfinished)
        ops.unlink(path.c_str());
    facts.boot_id = current_boot_id();
    facts.now = now_us();

    add_compressed(found, directory, report, ops);

    newest_segment newest;
    std::optional<segment_info> newest_info;
    if (!found.segments.empty()) newest_info = found.segments.back();
    if (newest_info && newest_info->is_compressed()) {
        // Somebody has removed the one that was being written. Nothing can be appended to this one.
        facts.newest = {newest_info->first_id, 0, true, true};
    } else if (newest_info) {
        newest = recover_newest(directory.path(), found.segments.back().first_id);
        found.segments.pop_back();
        facts.newest = {newest.file->first_id, newest.tail.records, newest.tail.lines_dropped,
                        !newest.tail.failure.empty()};
    }
    const start_decision decision = decide_start(facts);
    if (decision.next_id >= protocol::max_record_id) {
        throw log_error(log_error::kind::io, "the ids in " + directory.path().string()
                                                 + " are used up; start with an empty log directory");
    }

    recovery recovered;
    decltype(opened_log::to_seal) to_seal;
    if (newest.file) {
        recovered = {newest.tail.torn_bytes, newest.tail.torn_file, newest.tail.failure,
                     decision.jumped_from};
        report_recovery(report, newest, decision);
        if (newest.tail.torn_bytes > 0 && !newest.tail.torn_file.empty()
            && (found.torn.empty() || found.torn.back() != newest.file->first_id)) {
            found.torn.push_back(newest.file->first_id);
        }
        if (decision.new_segment) {
            if (newest.tail.bytes > 0) to_seal = {newest.file, newest.tail.bytes};
            // A file with nothing but rubbish that could not be moved away is kept, but is no segment.
            if (newest.tail.bytes > 0 || newest.tail.failure.empty()) {
                found.segments.push_back({newest.file->first_id, newest.tail.bytes, newest_info->written_ns});
            }
        }
    }
    recovered.jumped_from = decision.jumped_from;
    // Which of the sealed segments had been synced when the power went is not known.
    const bool power_cut = !facts.state || (!facts.state->clean && facts.state->boot_id != facts.boot_id);
    if (power_cut) recovered.torn_bytes += recover_sealed(found, newest, directory.path(), report, recovered);
    drop_empty(found.segments, directory.path(), ops);

    active_segment active = decision.new_segment ? begin_segment(directory, decision.next_id, ops)
                                                 : active_segment(std::move(newest.file), newest.tail.bytes,
                                                                  newest.tail.records, ops);
    directory.point_current_at(active.info().first_id);
    const auto doubted = facts.state ? facts.state->doubted_at_ns : std::nullopt;
    std::optional<std::int64_t> last_time = doubted;
    if (!doubted && newest_info) last_time = newest_info->written_ns;
    const log_state in_use{facts.boot_id, false, active.next_id(), active.info().first_id,
                           false,         {},    doubted};
    if (const auto failure = state.save(in_use, state_file::durability::power)) {
        report(base::severity::warning, *failure + "; after the next start ids will jump");
    }
    const auto since_ns = active.info().bytes > 0 ? made_at_ns(*active.file(), newest_info->written_ns) : 0;
    return {std::move(recovered),
            {std::move(found.segments), std::move(found.torn), std::move(active), std::move(facts.boot_id),
             since_ns, last_time},
            std::move(to_seal),
            facts.newest && (!facts.state || !facts.state->clean)};
}

}  // namespace livelogd::storage
