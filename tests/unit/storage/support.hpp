// SPDX-License-Identifier: MIT
// What the storage tests share: folders, records, listeners, failing system calls.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/log.hpp"
#include "daemon/storage/segment_name.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace livelogd::storage::test {

namespace fs = std::filesystem;
using protocol::record_id;
using namespace std::chrono_literals;

using livelogd::test::temp_dir;

inline std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_file(const fs::path& path, std::string_view bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline base::unique_fd open_for_reading(const fs::path& path) {
    return base::unique_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

inline mode_t mode_of(const fs::path& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) throw std::runtime_error("cannot examine " + path.string());
    return status.st_mode & 07777;
}

/// A record of exactly `size` bytes with its LF (16 at least), recognisable by its number.
inline std::string record_of(std::uint64_t number, std::size_t size = 40) {
    std::string line = "{\"n\":" + std::to_string(number) + ",\"p\":\"";
    const std::size_t fixed = line.size() + 3;
    if (fixed > size) throw std::runtime_error("a record of this number needs more bytes");
    line.append(size - fixed, 'x');
    return line + "\"}\n";
}

inline record_batch batch_of(const std::vector<std::string>& lines) {
    record_batch batch;
    for (const auto& line : lines) {
        batch.lines += line;
        batch.records.push_back({static_cast<std::uint32_t>(line.size()), {}});
    }
    return batch;
}

/// `count` records, numbered from `first` on.
inline record_batch numbered_batch(std::uint64_t first, std::size_t count, std::size_t size = 40) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < count; ++i)
        lines.push_back(record_of(first + i, size));
    return batch_of(lines);
}

/// The messages of a log, kept.
class report_log {
  public:
    base::report_sink sink() {
        return [this](base::severity severity, std::string_view text) {
            const std::lock_guard lock(mutex_);
            messages_.emplace_back(severity, text);
        };
    }
    /// How many messages contain `part`.
    [[nodiscard]] std::size_t count(std::string_view part) const {
        const std::lock_guard lock(mutex_);
        std::size_t n = 0;
        for (const auto& m : messages_)
            n += m.second.find(part) != std::string::npos ? 1u : 0u;
        return n;
    }
    [[nodiscard]] std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return messages_.size();
    }
    [[nodiscard]] std::string all() const {
        const std::lock_guard lock(mutex_);
        std::string text;
        for (const auto& m : messages_)
            text += m.second + "\n";
        return text;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::pair<base::severity, std::string>> messages_;
};

/// Remembers what it was told, by id.
class collector : public log_listener {
  public:
    void on_appended(record_id first_id, const shared_records& shared) override {
        {
            const std::lock_guard lock(mutex_);
            const record_batch& batch = *shared;
            calls_.push_back(first_id);
            std::size_t at = 0;
            for (std::size_t i = 0; i < batch.records.size(); ++i) {
                const record_id id = first_id + i;
                if (!lines_.empty() && id <= lines_.rbegin()->first) in_order_ = false;
                if (run_ends_ != 0 && id != run_ends_) in_order_ = false;
                run_ends_ = id + 1;
                lines_[id] = batch.lines.substr(at, batch.records[i].size);
                at += batch.records[i].size;
            }
        }
        changed_.notify_all();
    }
    void on_written(record_id end_id, const record_batch&) override { written_ = end_id; }
    void on_synced(record_id end_id) override { synced_ = std::max(synced_.load(), end_id); }
    void on_recovered(const storing_outage& outage) override {
        const std::lock_guard lock(mutex_);
        outages_.push_back(outage);
    }
    /// Everything below is in the file; 0 before that has been told of anything.
    [[nodiscard]] record_id written() const { return written_; }
    [[nodiscard]] record_id synced() const { return synced_; }
    [[nodiscard]] std::vector<storing_outage> outages() const {
        const std::lock_guard lock(mutex_);
        return outages_;
    }
    /// Waits until so many records have been told; false if that takes too long.
    bool wait_for(std::size_t records, std::chrono::milliseconds time = 20s) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, time, [&] { return lines_.size() >= records; });
    }
    /// The ids of a newly opened log may be higher.
    void expect_new_run() {
        const std::lock_guard lock(mutex_);
        run_ends_ = 0;
    }
    [[nodiscard]] std::map<record_id, std::string> lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    [[nodiscard]] std::vector<record_id> calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }
    [[nodiscard]] bool in_order() const {
        const std::lock_guard lock(mutex_);
        return in_order_;
    }

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::map<record_id, std::string> lines_;
    std::vector<record_id> calls_;
    std::vector<storing_outage> outages_;
    std::atomic<record_id> written_{0}, synced_{0};
    record_id run_ends_ = 0;
    bool in_order_ = true;
};

/// Polls until `condition` holds; false if it does not within the time.
inline bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds time = 20s) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

/// Every record of the log by id, read from the files as a reader would.
inline std::map<record_id, std::string> read_all(const log_snapshot& view) {
    std::map<record_id, std::string> lines;
    for (std::size_t i = 0; i < view.segment_count(); ++i) {
        const segment_info& segment = view.segment(i);
        const auto fd = open_segment(view, i);
        if (!fd) throw std::runtime_error("a segment of the snapshot is missing");
        forward_reader reader(fd.get(), 0, segment.bytes);
        stored_line line;
        for (record_id id = segment.first_id; reader.next(line); ++id) {
            if (id >= view.id_bound(i)) throw std::runtime_error("a segment holds more records than ids");
            lines[id] = std::string(line.bytes) + "\n";
        }
    }
    return lines;
}

/// The names of the segments in a folder, compressed or not, in order.
inline std::vector<std::string> segment_files(const fs::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) {
        const std::string name = entry.path().filename().string();
        if (parse_segment_name(name) || parse_compressed_name(name)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// System calls that fail from the n-th on, for a while. Shared between the threads of a log.
class faults {
  public:
    struct plan {
        long from = 0;   ///< the first call that fails, counted from 1; 0: none
        long count = 1;  ///< how many fail in a row
        int error = ENOSPC;
        std::size_t short_write =
            0;  ///< for write: the first failing call takes so many bytes before the error
    };
    plan write, truncate, open, datasync, sync, unlink,
        rename;  ///< set before the log is made, or with change()
    std::atomic<long> writes{0}, truncates{0}, opens{0}, datasyncs{0}, syncs{0}, unlinks{0}, renames{0};
    std::atomic<bool> disk_full{false};  ///< all writes fail while it is set
    std::atomic<bool> healed{false};     ///< nothing fails any more

    /// While the log runs: from its next call on `which` fails so many times.
    void change(plan faults::* which, const std::atomic<long>& calls, long count, int error,
                std::size_t short_write = 0) {
        const std::lock_guard lock(mutex_);
        this->*which = {calls + 1, count, error, short_write};
    }

    file_ops ops() {
        file_ops o;
        o.open = [this, real = o.open](const char* path, int flags, mode_t mode) {
            return fails(open, ++opens) ? -1 : real(path, flags, mode);
        };
        o.write = [this](int fd, const void* bytes, std::size_t size) -> ssize_t {
            const long n = ++writes;
            if (disk_full && !healed) return errno = ENOSPC, -1;
            if (const auto most = short_write_now(n)) return ::write(fd, bytes, std::min(size, most));
            return fails(write, n) ? -1 : ::write(fd, bytes, size);
        };
        o.ftruncate = [this](int fd, off_t size) {
            return fails(truncate, ++truncates) ? -1 : ::ftruncate(fd, size);
        };
        o.fdatasync = [this](int fd) { return fails(datasync, ++datasyncs) ? -1 : ::fdatasync(fd); };
        o.fsync = [this](int fd) { return fails(sync, ++syncs) ? -1 : ::fsync(fd); };
        o.unlink = [this](const char* path) { return fails(unlink, ++unlinks) ? -1 : ::unlink(path); };
        o.rename = [this](const char* from, const char* to) {
            return fails(rename, ++renames) ? -1 : ::rename(from, to);
        };
        return o;
    }

  private:
    std::size_t short_write_now(long call) const {
        const std::lock_guard lock(mutex_);
        return call == write.from && !healed ? write.short_write : 0;
    }
    bool fails(const plan& p, long call) const {
        const std::lock_guard lock(mutex_);
        if (healed || p.from == 0 || call < p.from || call >= p.from + p.count) return false;
        errno = p.error;
        return true;
    }

    mutable std::mutex mutex_;  ///< guards the plans
};

/// Options for tests: small segments, quick retries, no syncing unless asked for.
inline log_options options_for(const fs::path& directory) {
    log_options options;
    options.directory = directory;
    options.segment_max_bytes = 400;
    options.backup_count = 1000;
    options.sync = sync_policy::none;
    options.retry_interval = 2ms;
    return options;
}

}  // namespace livelogd::storage::test
