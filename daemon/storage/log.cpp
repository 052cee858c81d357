// SPDX-License-Identifier: MIT
#include "daemon/storage/log.hpp"

#include "daemon/storage/log_directory.hpp"
#include "daemon/storage/log_opening.hpp"
#include "daemon/storage/log_state.hpp"
#include "daemon/storage/log_writer.hpp"
#include "daemon/storage/segment_chain.hpp"
#include "daemon/storage/syncer.hpp"

#include <mutex>
#include <utility>

namespace livelogd::storage {

struct log::impl {
    impl(const log_options& options, base::report_sink sink, file_ops operations)
        : report(std::move(sink)),
          ops(std::move(operations)),
          directory(options.directory, report),
          state(directory.path()),
          opened(open_log(directory, state, report, ops)),
          sync(options, report, ops),
          chain(directory, state, sync, report, ops, std::move(opened.contents)),
          writer(chain, {options.segment_max_bytes, options.backup_count}, options.retry_interval, report) {
        if (opened.to_seal) sync.seal(std::move(opened.to_seal));
        if (opened.unsynced)
            sync.written(chain.active_file(), chain.view().active.bytes, chain.next_id(), false);
    }

    // In the order in which they use one another; the lock of the directory is released last.
    const base::report_sink report;
    const file_ops ops;
    log_directory directory;
    state_file state;
    opened_log opened;
    syncer sync;
    segment_chain chain;
    log_writer writer;

    std::mutex life;  ///< guards what follows, and lets a second stop wait for the first
    bool started = false;
    std::optional<stop_result> stopped;
};

log::log(const log_options& options, base::report_sink report, file_ops ops)
    : impl_(std::make_unique<impl>(options, std::move(report), std::move(ops))) {}

log::~log() {
    stop({});
}

const recovery& log::recovered() const {
    return impl_->opened.recovered;
}

void log::start(log_listener& listener) {
    const std::lock_guard lock(impl_->life);
    if (std::exchange(impl_->started, true)) return;
    impl_->sync.start([&listener](protocol::record_id end_id) { listener.on_synced(end_id); });
    impl_->writer.start(listener);
}

protocol::record_id log::submit(record_batch batch) {
    return impl_->writer.submit(std::move(batch));
}

std::uint64_t log::pending_bytes() const {
    return impl_->writer.pending_bytes();
}

log_snapshot log::snapshot() const {
    return impl_->writer.snapshot();
}

std::optional<std::string> log::trouble() const {
    auto trouble = impl_->writer.trouble();
    return trouble ? trouble : impl_->sync.trouble();
}

void log::set_limits(std::uint64_t segment_max_bytes, std::uint64_t backup_count) {
    impl_->writer.set_limits({segment_max_bytes, backup_count});
}

log::stop_result log::stop(std::chrono::milliseconds patience) {
    const std::lock_guard lock(impl_->life);
    if (impl_->stopped) return *impl_->stopped;
    if (!std::exchange(impl_->started, true)) impl_->sync.start({});  // there may be a segment to seal
    const std::uint64_t unstored = impl_->writer.stop(patience);
    const bool synced = impl_->sync.stop();
    if (const auto failure = impl_->chain.note_stop(unstored == 0 && synced)) {
        impl_->report(base::severity::warning, *failure + "; after the next start ids will jump");
    }
    impl_->stopped = stop_result{unstored};
    return *impl_->stopped;
}

}  // namespace livelogd::storage
