// SPDX-License-Identifier: MIT
#include "daemon/storage/log_writer.hpp"

#include "daemon/base/errno_text.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

namespace livelogd::storage {

namespace {

/// After failed syncs the disk is left alone for longer and longer, up to so many retry intervals.
constexpr int longest_pause = 25;

/// How often it is looked whether something has become too old: so many times within log_max_age, within
/// these limits.
constexpr int looks_an_age = 64;
constexpr std::chrono::milliseconds shortest_age_look{50};
constexpr std::chrono::milliseconds longest_age_look{60'000};

/// Outages that follow each other within this are one trouble, though each of them was over for a moment.
constexpr std::chrono::seconds one_trouble{60};

[[maybe_unused]] bool consistent(const record_batch& batch) {
    const auto bytes =
        std::accumulate(batch.records.begin(), batch.records.end(), std::size_t{0},
                        [](std::size_t sum, const record_batch::record& r) { return sum + r.size; });
    return bytes == batch.lines.size();
}

/// The view of the files, cut where they end for readers: at `offset` of `segment`. What follows is not
/// theirs.
log_snapshot cut_view(log_snapshot view, protocol::record_id segment, std::uint64_t offset) {
    const auto& all = *view.sealed;
    const auto end = std::ranges::lower_bound(all, segment, {}, &segment_info::first_id);
    // Retention may have removed the segment meanwhile: then an empty one stands for it.
    view.active = {segment, offset};
    if (end != all.end()) {
        if (end->first_id != segment) view.active.bytes = 0;
        view.sealed = std::make_shared<const std::vector<segment_info>>(all.begin(), end);
    }
    return view;
}

std::string count_of_records(std::uint64_t n) {
    return std::to_string(n) + (n == 1 ? " record" : " records");
}

}  // namespace

log_writer::log_writer(segment_chain& chain, syncer& sync, unsynced_records& unsynced,
                       segment_compressor& compressor, const log_options& options,
                       protocol::record_id synced_end, base::report_sink report)
    : chain_(chain),
      sync_(sync),
      unsynced_(unsynced),
      compressor_(compressor),
      retry_interval_(options.retry_interval),
      compress_retry_interval_(options.compress_retry_interval),
      unsynced_max_bytes_(options.unsynced_max_bytes),
      report_(std::move(report)),
      synced_end_(synced_end),
      next_id_(chain.next_id()),
      limits_(static_cast<const log_limits&>(options)),
      view_(chain.view()),
      taken_end_(chain.next_id()) {}

log_writer::~log_writer() {
    stop(clock::now(), clock::now());
    join();
}

void log_writer::join() {
    if (thread_.joinable()) thread_.join();
}

void log_writer::start(log_listener& listener) {
    listener_ = &listener;
    over_ = false;
    thread_ = std::thread([this] { run(); });
}

protocol::record_id log_writer::submit(record_batch batch) {
    assert(consistent(batch));
    // Counted first, so that what the writer takes off has always been put on.
    pending_bytes_.fetch_add(batch.lines.size(), std::memory_order_relaxed);
    pending_records_.fetch_add(batch.records.size(), std::memory_order_relaxed);
    auto shared = std::make_shared<const record_batch>(std::move(batch));
    protocol::record_id end_id = 0;
    {
        const std::lock_guard lock(mutex_);
        end_id = next_id_ += shared->records.size();
        if (!shared->empty()) pending_.push_back(std::move(shared));
    }
    wake_.notify_one();
    return end_id;
}

void log_writer::set_limits(const log_limits& limits) {
    {
        const std::lock_guard lock(mutex_);
        limits_ = limits;
        limits_changed_ = true;
    }
    wake_.notify_one();
}

void log_writer::on_synced(protocol::record_id end_id) {
    synced_end_ = end_id;
    unsynced_.release(end_id);
    if (listener_ != nullptr) listener_->on_synced(end_id);
    {
        const std::lock_guard lock(mutex_);
        sync_told_ = true;
    }
    wake_.notify_one();
}

void log_writer::on_compressed() {
    {
        const std::lock_guard lock(mutex_);
        compression_told_ = true;
    }
    wake_.notify_one();
}

void log_writer::on_sync_failed() {
    {
        const std::lock_guard lock(mutex_);
        sync_told_ = true;
    }
    wake_.notify_one();
}

log_snapshot log_writer::snapshot() const {
    const std::lock_guard lock(view_mutex_);
    return view_;
}

std::optional<std::string> log_writer::trouble() const {
    const std::lock_guard lock(view_mutex_);
    return trouble_;
}

log_writer::unfinished log_writer::stop(clock::time_point deadline, clock::time_point limit) {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        deadline_ = deadline;
        limit_ = std::max(deadline, limit);
    }
    wake_.notify_all();
    constexpr std::chrono::milliseconds grace{100};  // for what was under way at the limit
    bool over = false;
    {
        std::unique_lock lock(mutex_);
        over = ended_.wait_until(lock, limit_ + grace, [this] { return over_; });
    }
    if (over) join();
    return {pending_records_.load(), over && doubtful_, !over};
}

void log_writer::run() {
    // Retention may have been narrowed while the daemon was down.
    take_limits();
    look_at_compression();
    std::vector<shared_records> work;
    while (wait_for_work(work)) {
        for (const shared_records& batch : work) {
            take_limits();
            look_at_syncs();
            take(batch);
        }
        work.clear();
        look_at_syncs();
        if (outage_ && clock::now() >= outage_->retry_at) try_again();
        take_limits();
        look_at_age();
        look_at_compression();
    }
    const std::lock_guard lock(mutex_);
    over_ = true;
    ended_.notify_all();
}

/// Waits for batches, for the time to try again, or for the end: false when the thread's work is done, or
/// the time for it is over.
bool log_writer::wait_for_work(std::vector<shared_records>& work) {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (!pending_.empty()) {
            work.swap(pending_);
            return true;
        }
        if (std::exchange(sync_told_, false) || std::exchange(compression_told_, false) || can_take_limits())
            return true;
        const auto now = clock::now();
        auto look_at = clock::time_point::max();  // at what needs no record to come
        if (!stopping_) look_at = std::min(age_look_at_, compress_again_at_.value_or(look_at));
        if (!outage_ && now >= look_at) return true;
        // At a stop it is tried again at once, even if there is no time for a second try.
        const bool last_try = stopping_ && outage_ && !std::exchange(hurried_, true);
        if (last_try) outage_->retry_at = now;
        if (outage_ && now >= outage_->retry_at && (last_try || !stopping_ || now < deadline_)) return true;
        if (stopping_ && !outage_) sync_.flush();
        const auto end = outage_ ? deadline_ : limit_;
        if (stopping_ && (now >= end || (!outage_ && sync_.settled()))) return false;
        auto until = outage_ ? outage_->retry_at : look_at;
        if (stopping_) until = std::min(until, end);
        if (until == clock::time_point::max()) {
            wake_.wait(lock);
        } else {
            wake_.wait_until(lock, until);
        }
    }
}

std::chrono::milliseconds log_writer::longer(std::chrono::milliseconds pause) const {
    return std::clamp(pause * 2, retry_interval_, retry_interval_ * (hurried_ ? 1 : longest_pause));
}

bool log_writer::out_of_time() const {
    const std::lock_guard lock(mutex_);
    return stopping_ && clock::now() >= limit_;
}

void log_writer::take_limits() {
    {
        const std::lock_guard lock(mutex_);
        if (!can_take_limits()) return;
        limits_changed_ = false;
        chain_.set_limits(limits_);
    }
    age_look_at_ = chain_.limits().max_age.count() > 0 ? clock::now() : clock::time_point::max();
    if (!chain_.limits().compress) compressor_.cancel();
    compress_again_at_.reset();
    chain_.retain();
    publish();
}

/// What is about to be written anew must not be removed before.
bool log_writer::can_take_limits() const {
    return limits_changed_ && !(outage_ && outage_->files_suspect);
}

/// Removes, and seals before, what has become too old, also while nothing is written.
void log_writer::look_at_age() {
    if (age_look_at_ == clock::time_point::max() || outage_ || clock::now() < age_look_at_) return;
    const auto next = std::clamp<std::chrono::milliseconds>(chain_.limits().max_age / looks_an_age,
                                                            shortest_age_look, longest_age_look);
    age_look_at_ = clock::now() + next;
    if (chain_.age()) publish();
}

/// Takes what the compressor has made, and gives it the next segment.
void log_writer::look_at_compression() {
    if (compressing_) {
        // The room that it takes may be what is missing.
        if (outage_) return compressor_.cancel();
        const auto made = compressor_.take_result();
        if (!made) return;
        compressing_ = false;
        put_in_place(*made);
    }
    if (outage_ || !chain_.limits().compress) return;
    if (compress_again_at_ && clock::now() < *compress_again_at_) return;
    compress_again_at_.reset();
    if (auto job = chain_.next_to_compress()) {
        compressor_.begin(*std::move(job));
        compressing_ = true;
    }
}

void log_writer::put_in_place(const compression_result& made) {
    using end = compression_result::end;
    std::optional<std::string> failure;
    if (made.what == end::made) failure = chain_.adopt(made);
    if (made.what == end::failed) failure = made.why;
    if (made.what == end::unfit) chain_.do_not_compress(made.job.first_id);
    if (failure) {
        compress_again_at_ = clock::now() + compress_retry_interval_;
        if (!std::exchange(compression_failed_, true))
            report_(base::severity::warning, "log files stay uncompressed for now: " + *failure);
    } else if (made.what == end::made) {
        compression_failed_ = false;
        publish();
    }
}

void log_writer::take(const shared_records& batch) {
    const protocol::record_id first_id = taken_end_;
    taken_end_ += batch->records.size();
    if (!outage_) wait_for_the_disk();
    segment_chain::stored done;
    if (!outage_) {
        // At a stop the time may be over while much still waits.
        if (out_of_time()) return;
        done = store(batch, 0, 0);
        if (done.error == 0) {
            publish();
            listener_->on_appended(first_id, batch);
            listener_->on_written(taken_end_, *batch);
            return;
        }
        begin_outage(cannot_store(done.error), retry_interval_, 0);
    }
    hold(batch, first_id, done);
}

/// Shows the batch from memory. `written`: what of it is in a file.
void log_writer::hold(const shared_records& batch, protocol::record_id first_id,
                      segment_chain::stored written) {
    held_.waiting.push_back({batch, first_id, written.records, written.bytes});
    outage_->held_records = std::max(outage_->held_records, pending_records_.load());
    const bool all_before_shown = outage_->shown_to == first_id;
    if (!all_before_shown || !held_.show(std::string_view(batch->lines).substr(written.bytes))) return;
    outage_->shown_to = first_id + batch->records.size();
    publish();
    listener_->on_appended(first_id, batch);
}

/// Waits while more is unsynced than may be kept in memory for the case that a sync fails.
void log_writer::wait_for_the_disk() {
    while (unsynced_.bytes() > unsynced_max_bytes_ || sync_.behind()) {
        // Under `none` nothing else would have it synced.
        if (unsynced_.bytes() > unsynced_max_bytes_) sync_.sync_soon();
        {
            std::unique_lock lock(mutex_);
            if (!sync_told_) {
                if (stopping_ && clock::now() >= limit_) return;
                const auto soon = clock::now() + std::chrono::milliseconds(100);
                wake_.wait_until(lock, stopping_ ? std::min(soon, limit_) : soon,
                                 [this] { return sync_told_; });
            }
            sync_told_ = false;
        }
        look_at_syncs();
        if (outage_) return;
    }
}

void log_writer::look_at_syncs() {
    if (outage_ && outage_->files_suspect) return;
    auto failure = sync_.failure();
    if (!failure) return;
    if (outage_) {
        note_failure(std::move(*failure));
    } else {
        const bool again = clock::now() - last_outage_end_ < one_trouble;
        begin_outage(std::move(*failure), again ? longer(last_pause_) : std::chrono::milliseconds(0),
                     unsynced_.record_count());
    }
    distrust_files();
}

void log_writer::begin_outage(std::string reason, std::chrono::milliseconds pause,
                              std::uint64_t unsynced_records) {
    const auto active = chain_.view().active;
    outage_ = outage{};
    outages_.fetch_add(1, std::memory_order_relaxed);
    outage_->since = clock::now();
    outage_->pause = pause;
    outage_->retry_at = outage_->since + pause;
    outage_->segment = active.first_id;
    outage_->offset = active.bytes;
    outage_->boundary = chain_.next_id();
    outage_->reason = reason;
    {
        // What has been shown stays shown: the batch of which a part is in the file comes next.
        const std::lock_guard lock(view_mutex_);
        outage_->shown_to = view_.next_id;
    }
    outage_->lost_before = chain_.lost_records();
    held_.show_instead(outage_->boundary, {});
    note_failure(std::move(reason));
    chain_.note_storing_failed(true);
    report_(base::severity::error, outage_->reason + "; "
                                       + count_of_records(pending_records_.load() + unsynced_records)
                                       + " wait until it can be done");
    listener_->on_trouble(outage_->reason);
}

std::string log_writer::cannot_store(int error) const {
    return "cannot store in " + chain_.active_path().string() + ": " + base::errno_text(error);
}

void log_writer::note_failure(std::string reason) {
    const std::lock_guard lock(view_mutex_);
    trouble_ = std::move(reason);
}

/// Readers get everything that is unsynced from memory from now on.
void log_writer::distrust_files() {
    outage_->files_suspect = true;
    const auto pieces = unsynced_.all();
    // What was written between the last sync and the first record that was kept cannot be written anew.
    outage_->doubtful = (pieces.empty() ? chain_.next_id() : pieces.front().first_id) > synced_end_;
    doubtful_ = doubtful_ || outage_->doubtful;
    if (pieces.empty()) return;
    std::vector<std::string_view> lines;
    for (const auto& piece : pieces) {
        outage_->rewritten += piece.record_count;
        lines.push_back(piece.lines());
    }
    for (const auto& waiting : held_.waiting) {
        if (waiting.first_id >= outage_->shown_to) break;
        lines.push_back(std::string_view(waiting.batch->lines).substr(waiting.bytes_written));
    }
    // Without memory to show them from, the files have to do.
    if (!held_.show_instead(pieces.front().first_id, lines)) return;
    outage_->segment = pieces.front().segment;
    outage_->offset = pieces.front().offset;
    outage_->boundary = pieces.front().first_id;
    publish();
}

void log_writer::try_again() {
    if (outage_->files_suspect) {
        if (auto failure = chain_.rewrite()) {
            note_failure(std::move(*failure));
            outage_->pause = longer(outage_->pause);
            outage_->retry_at = clock::now() + outage_->pause;
            return;
        }
        outage_->files_suspect = false;
        if (outage_->boundary == chain_.next_id()) {
            // It may stand in another file now.
            const auto active = chain_.view().active;
            outage_->segment = active.first_id;
            outage_->offset = active.bytes;
            publish();
        }
        sync_.resume();
        const auto end_id = chain_.next_id();
        synced_end_ = end_id;
        unsynced_.release(end_id);
        listener_->on_synced(end_id);
    }
    take_limits();
    // Where syncing fails again already, this is not over.
    if (write_held() && !sync_.failure()) {
        end_outage();
    } else {
        outage_->retry_at = clock::now() + retry_interval_;
    }
}

/// False if it fails again.
bool log_writer::write_held() {
    while (!held_.waiting.empty()) {
        auto& first = held_.waiting.front();
        const auto done = store(first.batch, first.records_written, first.bytes_written);
        first.records_written += done.records;
        first.bytes_written += done.bytes;
        if (done.error != 0) {
            note_failure(cannot_store(done.error));
            return false;
        }
        if (first.first_id >= outage_->shown_to) {
            outage_->late.push_back(std::move(first));  // cannot be shown before readers use the files again
        } else {
            listener_->on_written(first.first_id + first.batch->records.size(), *first.batch);
        }
        held_.waiting.pop_front();
        if (out_of_time()) return held_.waiting.empty();
    }
    return true;
}

void log_writer::end_outage() {
    const outage over = *std::exchange(outage_, std::nullopt);
    chain_.note_storing_failed(false);
    {
        const std::lock_guard lock(view_mutex_);
        trouble_.reset();
    }
    publish();
    for (const auto& one : over.late) {
        listener_->on_appended(one.first_id, one.batch);
        listener_->on_written(one.first_id + one.batch->records.size(), *one.batch);
    }
    held_.clear();
    std::string text = "records are stored again; " + count_of_records(over.held_records) + " had waited";
    if (over.rewritten > 0) text += ", " + count_of_records(over.rewritten) + " have been written anew";
    report_(base::severity::info, text);
    const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - over.since);
    last_outage_end_ = clock::now();
    last_pause_ = over.pause;
    listener_->on_recovered({over.reason, duration, over.held_records, over.rewritten,
                             chain_.lost_records() - over.lost_before, over.doubtful});
}

segment_chain::stored log_writer::store(const shared_records& batch, std::size_t first_record,
                                        std::size_t first_byte) {
    const auto done = chain_.store(batch, first_record, first_byte);
    pending_records_.fetch_sub(done.records, std::memory_order_relaxed);
    pending_bytes_.fetch_sub(done.bytes, std::memory_order_relaxed);
    return done;
}

void log_writer::publish() {
    log_snapshot view = chain_.view();
    if (outage_) {
        view = cut_view(std::move(view), outage_->segment, outage_->offset);
        view.next_id = outage_->shown_to;
        view.held = held_.segment();
        if (view.held.bytes > 0) view.held_file = held_.file();
    }
    const std::lock_guard lock(view_mutex_);
    std::swap(view_, view);
}

}  // namespace livelogd::storage
