// SPDX-License-Identifier: MIT
// A log with its live end, in a folder of its own, without sockets.
#pragma once

#include "daemon/http/counters.hpp"
#include "daemon/ingest/pipeline.hpp"
#include "daemon/live/broadcaster.hpp"
#include "daemon/live/catch_up.hpp"
#include "daemon/live/shared_matches.hpp"
#include "daemon/net/offload.hpp"
#include "daemon/storage/line_ends.hpp"
#include "daemon/storage/log.hpp"
#include "tests/support/batches.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace livelogd::test {

/// The test's thread runs the io_context by hand.
class live_log {
  public:
    struct sizes {
        std::size_t ring_bytes = 1u << 20;
        std::uint64_t segment_max_bytes = 10u << 20;
        std::uint64_t backup_count = 5;
    };
    live_log() : live_log(sizes{}) {}
    explicit live_log(sizes s)
        : log(std::make_unique<storage::log>(options(s), [](base::severity, std::string_view) {})),
          first_id(log->snapshot().next_id),
          live(context, s.ring_bytes, first_id),
          files(*log),
          to_log(*log, live, rules, {.flowing = 64u << 20, .failing = 64u << 20}, count) {
        log->start(stored);
    }
    ~live_log() {
        log->stop(std::chrono::seconds(5));
        workers.join();
    }

    /// Appends the records and waits until they are in the log and at the live end.
    void append(const std::vector<std::string>& lines) {
        const auto expected = stored.records + lines.size();
        to_log.submit(batch_of(lines));
        wait_until([&] { return stored.records == expected; });
        settle();
    }

    /// Runs what is ready to run.
    void settle() {
        context.restart();
        context.poll();
    }

    /// Runs the context until something is so. False if it takes longer than anything here may.
    bool wait_until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!done()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            context.restart();
            context.run_for(std::chrono::milliseconds(1));
        }
        return true;
    }

  private:
    /// Counts what has come all the way, so that a test can wait for it.
    struct counting_listener final : storage::log_listener {
        explicit counting_listener(storage::log_listener& to) : next(to) {}
        void on_appended(protocol::record_id id, const storage::shared_records& batch) override {
            next.on_appended(id, batch);
        }
        void on_written(protocol::record_id end_id, const storage::record_batch& batch) override {
            next.on_written(end_id, batch);
            records += batch.records.size();
        }
        void on_synced(protocol::record_id end_id) override { next.on_synced(end_id); }
        void on_trouble(const std::string& reason) override { next.on_trouble(reason); }
        void on_recovered(const storage::storing_outage& outage) override { next.on_recovered(outage); }
        storage::log_listener& next;
        std::atomic<std::uint64_t> records{0};
    };

    storage::log_options options(const sizes& s) const {
        storage::log_options o;
        o.directory = folder.path();
        o.segment_max_bytes = s.segment_max_bytes;
        o.backup_count = s.backup_count;
        return o;
    }

  public:
    temp_dir folder;
    http::client_counters served;  ///< outlives what the context still holds at the end
    net::asio::io_context context;
    net::worker_pool workers{2};
    std::unique_ptr<storage::log> log;
    protocol::record_id first_id;
    live::broadcaster live;
    live::catch_up files;
    live::shared_matches matches{workers};
    storage::line_counts counts;
    base::time_zone zone = base::time_zone::named("UTC");
    ingest::counters count;
    ingest::current_policy rules{std::make_shared<const ingest::policy>()};
    ingest::pipeline to_log;
    counting_listener stored{to_log};
};

}  // namespace livelogd::test
