// SPDX-License-Identifier: MIT
// Random faults of the disk, and of people, against a plain list: whatever fails for a while, every record
// that was handed over is shown once, in order, and ends up in the files once.
#include "daemon/storage/compressed_segment.hpp"
#include "daemon/storage/zstd_frames.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <cstdlib>
#include <random>
#include <string_view>

namespace livelogd::storage::test {
namespace {

class troubled_run {
  public:
    troubled_run(unsigned seed, bool compress) : random_(seed), compress_(compress) { open(); }

    void step() {
        switch (below(12)) {
            case 0:
                faults_->disk_full = !faults_->disk_full;
                break;
            case 1:
                faults_->change(&faults::datasync, faults_->datasyncs, 1 + below(4), EIO);
                break;
            case 2:
                faults_->change(&faults::sync, faults_->syncs, 1 + below(2), EIO);
                break;
            case 3:
                faults_->change(&faults::write, faults_->writes, 1 + below(3), below(2) == 0 ? EIO : ENOSPC,
                                below(300));
                break;
            case 4:
                faults_->change(&faults::truncate, faults_->truncates, 1 + below(3), EIO);
                break;
            case 5:
                faults_->change(&faults::open, faults_->opens, 1 + below(3), EMFILE);
                break;
            case 6:
                faults_->change(&faults::rename, faults_->renames, 1 + below(2), EACCES);
                break;
            case 7:
                if (below(4) == 0) return reopen();
                break;
            default:
                submit();
        }
        look();
    }

    /// Everything heals; what was handed over must be in the files, once.
    void end() {
        heal();
        REQUIRE(log_->stop(10s).unstored_records == 0);
        remember();
        std::map<record_id, std::string> found;
        for (const auto& name : segment_files(dir_.path())) {
            const auto plain = parse_segment_name(name);
            record_id id = plain ? *plain : *parse_compressed_name(name);
            const std::string text = plain ? read_file(dir_ / name) : decompressed(dir_ / name, id);
            for (std::size_t at = 0; at < text.size(); ++id) {
                const auto line_end = text.find('\n', at);
                REQUIRE(line_end != std::string::npos);
                const std::string line = text.substr(at, line_end + 1 - at);
                // A copy that could not be cut off may remain; it is the same record.
                REQUIRE(found.emplace(id, line).first->second == line);
                at = line_end + 1;
            }
        }
        REQUIRE(found == told_);
        std::uint64_t number = 0;
        for (const auto& [id, line] : told_)
            REQUIRE(line.starts_with("{\"n\":" + std::to_string(number++) + ","));
        REQUIRE(number == number_);
    }

  private:
    static std::string decompressed(const fs::path& path, record_id id) {
        const auto opened =
            compressed_segment::open(open_for_reading(path), path, id, std::make_shared<frame_cache>());
        REQUIRE(opened);
        std::string text(opened->table().bytes(), '\0');
        REQUIRE(opened->read(text.data(), text.size(), 0) == text.size());
        return text;
    }

    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

    void open() {
        auto options = options_for(dir_.path());
        options.segment_max_bytes = 200 + below(3000);
        options.sync = below(2) == 0 ? sync_policy::always : sync_policy::interval;
        options.sync_interval = std::chrono::milliseconds(1 + below(5));
        options.compress = compress_;
        options.compress_retry_interval = 1ms;
        options.unsynced_max_bytes = 2000 + below(20000);
        faults_ = std::make_unique<faults>();
        listener_ = std::make_unique<collector>();
        log_ = std::make_unique<log>(options, reports_.sink(), faults_->ops());
        submitted_ = 0;
        log_->start(*listener_);
    }

    void submit() {
        for (unsigned b = 1 + below(5); b > 0; --b) {
            const std::size_t records = 1 + below(20);
            auto batch = numbered_batch(number_, records, 40 + below(60));
            batch.durable = below(3) == 0;
            log_->submit(std::move(batch));
            number_ += records;
            submitted_ += records;
        }
    }

    /// All of it is shown, though perhaps none can be stored.
    void look() {
        if (below(4) != 0) return;
        INFO(reports_.all());
        REQUIRE(listener_->wait_for(submitted_));
        REQUIRE(listener_->in_order());
        REQUIRE(finds_all(listener_->lines()));
    }

    /// A file may be cut, its end written anew elsewhere, between the look at the log and the look into the
    /// file: then the log has changed, and a reader looks again.
    bool finds_all(const std::map<record_id, std::string>& told) {
        return eventually([&] {
            try {
                const auto found = read_all(log_->snapshot());
                return std::ranges::all_of(told, [&found](const auto& record) {
                    const auto at = found.find(record.first);
                    return at != found.end() && at->second == record.second;
                });
            } catch (const std::runtime_error&) {
                return false;  // a segment of the snapshot is missing
            }
        });
    }

    void heal() {
        faults_->healed = true;
        INFO(reports_.all());
        REQUIRE(listener_->wait_for(submitted_));
        REQUIRE(eventually([&] { return !log_->trouble() && log_->pending_bytes() == 0; }));
    }

    void remember() {
        for (const auto& [id, line] : listener_->lines())
            REQUIRE(told_.emplace(id, line).second);
    }

    void reopen() {
        heal();
        REQUIRE(log_->stop(10s).unstored_records == 0);
        remember();
        log_.reset();
        open();
    }

    std::mt19937 random_;
    const bool compress_;
    temp_dir dir_;
    report_log reports_;
    std::unique_ptr<collector> listener_;
    std::unique_ptr<faults> faults_;
    std::unique_ptr<log> log_;
    std::map<record_id, std::string> told_;
    std::size_t submitted_ = 0;  ///< to the log that is open
    std::uint64_t number_ = 0;
};

}  // namespace

TEST_CASE("whatever fails for a while, nothing is lost, doubled or reordered") {
    const char* wish = std::getenv("LIVELOGD_FAULTS");
    const unsigned seeds = wish != nullptr && std::string_view(wish) == "all" ? 3000 : 150;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        troubled_run run(seed, zstd_is_built_in() && seed % 3 == 0);
        for (unsigned n = 0; n < 60; ++n) {
            INFO("step " << n);
            run.step();
        }
        run.end();
    }
}

}  // namespace livelogd::storage::test
