// SPDX-License-Identifier: MIT
#include "daemon/storage/log_opening.hpp"

#include "daemon/storage/segment_name.hpp"
#include "daemon/storage/start_rule.hpp"
#include "daemon/storage/tail_recovery.hpp"
#include "protocol/scan.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>

namespace livelogd::storage {

namespace {

std::string errno_text(int error) {
    return std::generic_category().message(error);
}

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
        throw log_error(log_error::kind::io, "cannot open " + file->path.string() + ": " + errno_text(errno)
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

void report_recovery(const base::report_sink& report, const newest_segment& newest,
                     const start_decision& decision) {
    const std::string& name = newest.file->path.string();
    if (!newest.tail.failure.empty()) {
        report(base::severity::warning,
               name + " ends with " + std::to_string(newest.tail.torn_bytes)
                   + " bytes that are no record; they stay there: " + newest.tail.failure);
    } else if (newest.tail.torn_bytes > 0) {
        report(base::severity::warning, name + " ended with " + std::to_string(newest.tail.torn_bytes)
                                            + " bytes that are no record; they are kept in "
                                            + newest.tail.torn_file.string());
    }
    if (decision.jumped_from) {
        report(base::severity::info, "the last stop may have lost records: ids go on at "
                                         + std::to_string(decision.next_id) + " instead of "
                                         + std::to_string(*decision.jumped_from));
    }
}

/// A power cut may leave empty files behind. They hold nothing, and would count as segments.
void drop_empty(std::vector<segment_info>& sealed, const std::filesystem::path& directory,
                const file_ops& ops) {
    std::erase_if(sealed, [&](const segment_info& segment) {
        if (segment.bytes > 0) return false;
        const auto path = directory / segment_name(segment.first_id);
        return ops.unlink(path.c_str()) == 0 || errno == ENOENT;
    });
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
    log_directory::contents found = directory.list();
    start_facts facts;
    facts.state = state.load();
    facts.boot_id = current_boot_id();
    facts.now = now_us();

    newest_segment newest;
    if (!found.segments.empty()) {
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
    std::shared_ptr<const segment_file> to_seal;
    if (newest.file) {
        recovered = {newest.tail.torn_bytes, newest.tail.torn_file, decision.jumped_from};
        report_recovery(report, newest, decision);
        if (newest.tail.torn_bytes > 0 && !newest.tail.torn_file.empty()
            && (found.torn.empty() || found.torn.back() != newest.file->first_id)) {
            found.torn.push_back(newest.file->first_id);
        }
        if (decision.new_segment) {
            to_seal = newest.file;
            // A file with nothing but rubbish that could not be moved away is kept, but is no segment.
            if (newest.tail.bytes > 0 || newest.tail.failure.empty()) {
                found.segments.push_back({newest.file->first_id, newest.tail.bytes});
            }
        }
    }
    drop_empty(found.segments, directory.path(), ops);

    active_segment active = decision.new_segment ? begin_segment(directory, decision.next_id, ops)
                                                 : active_segment(std::move(newest.file), newest.tail.bytes,
                                                                  newest.tail.records, ops);
    directory.point_current_at(active.info().first_id);
    const log_state in_use{facts.boot_id, false, active.next_id(), active.info().first_id, false};
    if (const auto failure = state.save(in_use, state_file::durability::power)) {
        report(base::severity::warning, *failure + "; after the next start ids will jump");
    }
    return {std::move(recovered),
            {std::move(found.segments), std::move(found.torn), std::move(active), std::move(facts.boot_id)},
            std::move(to_seal),
            !facts.state || !facts.state->clean};
}

}  // namespace livelogd::storage
