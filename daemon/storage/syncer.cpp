// SPDX-License-Identifier: MIT
#include "daemon/storage/syncer.hpp"

#include "daemon/base/errno_text.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/stat.h>

namespace livelogd::storage {

namespace {

/// Returns 0 or an errno.
int call_until_done(const std::function<int(int)>& call, int fd) {
    while (call(fd) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

/// Why the file is not what was written; empty if it is.
std::string what_has_changed(const segment_file& file, std::uint64_t bytes) {
    struct stat named{};
    struct stat open{};
    if (::fstat(file.fd.get(), &open) != 0) return {};
    if (::stat(file.path.c_str(), &named) != 0) {
        // Other errors (no descriptors, no rights) say nothing about the file.
        return errno == ENOENT || errno == ENOTDIR ? file.path.string() + " was removed or renamed" : "";
    }
    if (named.st_ino != open.st_ino || named.st_dev != open.st_dev) {
        return file.path.string() + " was replaced by another file";
    }
    if (static_cast<std::uint64_t>(open.st_size) < bytes) {
        return file.path.string() + " was cut to " + std::to_string(open.st_size) + " bytes, where "
               + std::to_string(bytes) + " had been written";
    }
    return {};
}

}  // namespace

syncer::syncer(const log_options& options, const file_ops& ops, std::function<void()> sync_names)
    : policy_(options.sync),
      interval_(options.sync_interval),
      most_unsynced_(options.sync_bytes),
      ops_(ops),
      sync_names_(std::move(sync_names)) {}

syncer::~syncer() {
    stop(clock::now());
    join();
}

void syncer::join() {
    if (thread_.joinable()) thread_.join();
}

void syncer::start(events tell) {
    const std::lock_guard lock(mutex_);
    tell_ = std::move(tell);
    over_ = false;
    thread_ = std::thread([this] { run(); });
}

void syncer::written(const std::shared_ptr<const segment_file>& active, std::uint64_t bytes,
                     protocol::record_id end_id, bool durable) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (!active_.file || !has_unseen()) {
            unsynced_since_ = clock::now();
            wake = true;  // it must learn from when on the interval counts
        }
        unsynced_ += bytes - (written_to_ == active->first_id ? std::min(written_, bytes) : 0);
        written_ = bytes;
        written_to_ = active->first_id;
        active_ = {active, bytes, end_id};
        durable_wanted_ = durable_wanted_ || durable;
        wake = wake || active_is_due();
    }
    if (wake) work_.notify_one();
}

void syncer::seal(std::shared_ptr<const segment_file> file, std::uint64_t bytes, protocol::record_id end_id) {
    {
        const std::lock_guard lock(mutex_);
        if (active_.file == file) {
            active_ = {};
            unsynced_ = 0;
            durable_wanted_ = false;  // sealed segments are synced at once
        }
        sealed_.push_back({std::move(file), bytes, end_id});
    }
    work_.notify_one();
}

void syncer::sync_soon() {
    {
        const std::lock_guard lock(mutex_);
        if (!active_.file) return;
        durable_wanted_ = true;
    }
    work_.notify_one();
}

void syncer::removing_below(protocol::record_id id) {
    const std::lock_guard lock(mutex_);
    removed_below_ = id;
}

bool syncer::needs(protocol::record_id first_id) const {
    const std::lock_guard lock(mutex_);
    const auto is_it = [first_id](const job& one) { return one.file && one.file->first_id == first_id; };
    return failure_ || is_it(active_) || (working_ && at_work_on_ == first_id)
           || std::ranges::any_of(sealed_, is_it);
}

bool syncer::behind() const {
    const std::lock_guard lock(mutex_);
    return sealed_.size() >= most_sealed_waiting;
}

std::optional<std::string> syncer::failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

void syncer::resume() {
    {
        const std::lock_guard lock(mutex_);
        failure_.reset();
        sealed_.clear();
        active_ = {};
        unsynced_ = 0;
        durable_wanted_ = false;
    }
    work_.notify_one();
}

void syncer::flush() {
    {
        const std::lock_guard lock(mutex_);
        flushing_ = true;
    }
    work_.notify_one();
}

bool syncer::settled() const {
    const std::lock_guard lock(mutex_);
    return !failure_ && !working_ && sealed_.empty() && !active_.file;
}

syncer::end syncer::stop(clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    flushing_ = true;
    ending_ = true;
    work_.notify_one();
    if (!ended_.wait_until(lock, deadline, [this] { return over_; })) return end::hangs;
    const bool all = !failure_ && sealed_.empty() && !active_.file;
    lock.unlock();
    if (thread_.joinable()) thread_.join();
    return all ? end::synced : end::unsynced;
}

bool syncer::active_is_due() const {
    if (!active_.file) return false;
    if (flushing_ || durable_wanted_) return true;
    switch (policy_) {
        case sync_policy::always:
            return true;
        case sync_policy::interval:
            return unsynced_ >= most_unsynced_ || clock::now() >= due_at();
        case sync_policy::none:
            return has_unseen() && clock::now() >= due_at();  // only to see whether the file is still there
    }
    return true;
}

/// Under `none` a file stays unsynced, and is looked at once in an interval in which something was written.
bool syncer::has_unseen() const {
    return policy_ != sync_policy::none || active_.end_id > seen_end_;
}

void syncer::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (failure_) {
            if (ending_) break;
            work_.wait(lock);
        } else if (!sealed_.empty()) {
            job first = sealed_.front();
            work_on(first, task::sync_sealed, lock);
            lock.unlock();
            first.file.reset();  // usually closes it: not under the lock
            lock.lock();
        } else if (active_is_due()) {
            // What is written from here on counts for the next time: the call below may or may not include
            // it.
            const bool look_only = policy_ == sync_policy::none && !durable_wanted_ && !flushing_;
            const job now = active_;
            if (look_only) {
                unsynced_since_ = clock::now();
                seen_end_ = now.end_id;
            } else {
                active_ = {};
                unsynced_ = 0;
                durable_wanted_ = false;
            }
            work_on(now, look_only ? task::look : task::sync_active, lock);
        } else if (ending_) {
            break;
        } else if (active_.file && has_unseen()) {
            work_.wait_until(lock, due_at());
        } else {
            work_.wait(lock);
        }
    }
    over_ = true;
    ended_.notify_all();
}

void syncer::work_on(const job& what, task kind, std::unique_lock<std::mutex>& lock) {
    working_ = true;
    at_work_on_ = what.file->first_id;
    const auto newest = std::max(written_to_, what.file->first_id);
    lock.unlock();
    if (kind != task::look && what.file->first_id > named_to_) {
        sync_names_();
        named_to_ = newest;
    }
    const auto& call = kind == task::sync_sealed ? ops_.fsync : ops_.fdatasync;
    const int error = kind == task::look ? 0 : call_until_done(call, what.file->fd.get());
    // The file may have grown meanwhile: what was appended must not hide that as much was cut off.
    lock.lock();
    const auto bytes = written_to_ == what.file->first_id ? std::max(what.bytes, written_) : what.bytes;
    lock.unlock();
    std::string reason = error != 0
                             ? "cannot sync " + what.file->path.string() + ": " + base::errno_text(error)
                             : what_has_changed(*what.file, bytes);
    lock.lock();
    working_ = false;
    if (what.file->first_id < removed_below_) reason.clear();
    if (reason.empty()) {
        if (kind == task::look) return;
        if (kind == task::sync_sealed) sealed_.pop_front();
        synced_end_ = std::max(synced_end_, what.end_id);
        const auto end_id = synced_end_;
        lock.unlock();
        if (tell_.synced) tell_.synced(end_id);
    } else {
        failure_ = std::move(reason);
        lock.unlock();
        if (tell_.failed) tell_.failed();
    }
    lock.lock();
}

}  // namespace livelogd::storage
