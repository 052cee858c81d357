// SPDX-License-Identifier: MIT
#include "daemon/storage/log.hpp"

#include "daemon/storage/frame_cache.hpp"
#include "daemon/storage/log_directory.hpp"
#include "daemon/storage/log_opening.hpp"
#include "daemon/storage/log_state.hpp"
#include "daemon/storage/log_writer.hpp"
#include "daemon/storage/segment_chain.hpp"
#include "daemon/storage/segment_compressor.hpp"
#include "daemon/storage/syncer.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace livelogd::storage {

namespace {

/// Syncing has to begin before the writer has to wait for it.
log_options fitting(log_options options) {
    options.sync_bytes = std::min(options.sync_bytes, options.unsynced_max_bytes / 2);
    return options;
}

}  // namespace

struct log::impl {
    impl(const log_options& given, base::report_sink sink, file_ops operations)
        : options(fitting(given)),
          report(std::move(sink)),
          ops(std::move(operations)),
          directory(options.directory, report),
          state(directory.path()),
          opened(open_log(directory, state, report, ops)),
          sync(options, ops, [this] { directory.try_to_sync(); }),
          chain(directory, state, sync, unsynced, options.sync != sync_policy::none, report, ops,
                std::make_shared<frame_cache>(report), std::move(opened.contents)),
          compressor(ops, [this] { writer.on_compressed(); }),
          writer(chain, sync, unsynced, compressor, options, synced_end(), report) {
        if (opened.to_seal.file)
            sync.seal(std::move(opened.to_seal.file), opened.to_seal.bytes, chain.next_id());
        if (opened.unsynced && chain.view().active.bytes > 0) {
            sync.written(chain.active_file(), chain.view().active.bytes, chain.next_id(), false);
        }
    }

    /// Everything below has been synced, as far as the last run tells.
    [[nodiscard]] protocol::record_id synced_end() const {
        const bool may_hold_unsynced = opened.to_seal.file || chain.view().active.bytes > 0;
        return opened.unsynced && may_hold_unsynced ? 0 : chain.next_id();
    }

    // In the order in which they use one another; the lock of the directory is released last.
    const log_options options;
    const base::report_sink report;
    const file_ops ops;
    log_directory directory;
    state_file state;
    opened_log opened;
    unsynced_records unsynced;
    syncer sync;
    segment_chain chain;
    segment_compressor compressor;
    log_writer writer;

    std::mutex life;  ///< guards what follows, and lets a second stop wait for the first
    bool started = false;
    std::optional<stop_result> stopped;
};

log::log(const log_options& options, base::report_sink report, file_ops ops)
    : impl_(std::make_unique<impl>(options, std::move(report), std::move(ops))) {}

log::~log() {
    stop({});
    // The threads know one another's parts.
    impl_->writer.join();
    impl_->sync.join();
    impl_->compressor.join();
}

const recovery& log::recovered() const {
    return impl_->opened.recovered;
}

void log::start(log_listener& listener) {
    const std::lock_guard lock(impl_->life);
    if (std::exchange(impl_->started, true)) return;
    impl_->writer.start(listener);
    impl_->sync.start({[writer = &impl_->writer](protocol::record_id end_id) { writer->on_synced(end_id); },
                       [writer = &impl_->writer] { writer->on_sync_failed(); }});
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

log_numbers log::numbers() const {
    return {impl_->unsynced.bytes(), impl_->writer.outages(), impl_->chain.removed_segments()};
}

std::optional<std::string> log::trouble() const {
    return impl_->writer.trouble();
}

void log::sync_soon() {
    impl_->sync.sync_soon();
}

void log::set_limits(const log_limits& limits) {
    impl_->writer.set_limits(limits);
}

log::stop_result log::stop(std::chrono::milliseconds patience, std::chrono::milliseconds limit) {
    using clock = std::chrono::steady_clock;
    const std::lock_guard lock(impl_->life);
    if (impl_->stopped) return *impl_->stopped;
    if (!std::exchange(impl_->started, true)) impl_->sync.start({});  // there may be a segment to seal
    const auto now = clock::now();
    impl_->compressor.cancel();
    const auto left = impl_->writer.stop(now + patience, now + limit);
    const auto end = impl_->sync.stop(std::max(now + limit, clock::now() + std::chrono::milliseconds(100)));
    const bool compressor_ended =
        impl_->compressor.stop(std::max(now + limit, clock::now() + std::chrono::milliseconds(100)));
    const std::uint64_t unsynced = impl_->unsynced.record_count();
    const bool synced = !left.hangs && end == syncer::end::synced && unsynced == 0 && !left.doubtful;
    // As long as its thread has not ended, the chain is the writer's. The state says already that the log is
    // in use.
    if (!left.hangs) {
        if (const auto failure = impl_->chain.note_stop(left.unstored == 0 && synced)) {
            impl_->report(base::severity::warning, *failure + "; after the next start ids will jump");
        }
    }
    impl_->stopped = stop_result{left.unstored, unsynced, !synced,
                                 left.hangs || end == syncer::end::hangs || !compressor_ended};
    return *impl_->stopped;
}

}  // namespace livelogd::storage
