// SPDX-License-Identifier: MIT
// The log against a model of it that is too simple to be wrong: random operations, fixed seeds.
#include "daemon/storage/log.hpp"
#include "daemon/storage/log_state.hpp"
#include "daemon/storage/zstd_frames.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

#include <csignal>
#include <numeric>
#include <random>

#include <sys/wait.h>
#include <unistd.h>

namespace livelogd::storage::test {
namespace {

/// What the log ought to hold: whole segments of lines in memory, the rules applied one record at a time.
class model {
  public:
    struct segment {
        record_id first_id = 0;
        std::vector<std::string> lines;
        [[nodiscard]] std::uint64_t bytes() const {
            return std::accumulate(
                lines.begin(), lines.end(), std::uint64_t{0},
                [](std::uint64_t sum, const std::string& line) { return sum + line.size(); });
        }
        [[nodiscard]] record_id next_id() const { return first_id + lines.size(); }
    };

    std::uint64_t max_bytes = 0;
    std::uint64_t backup_count = 0;
    std::vector<segment> segments;  ///< the last one is active

    void append(const std::string& line) {
        if (!segments.back().lines.empty() && segments.back().bytes() + line.size() > max_bytes) {
            const record_id next = segments.back().next_id();
            segments.push_back({next, {}});
            retain();
        }
        segments.back().lines.push_back(line);
    }

    void retain() {
        while (segments.size() - 1 > backup_count && sealed_bytes() > backup_count * max_bytes) {
            segments.erase(segments.begin());
        }
    }

    /// Ids go on at `next` in a new segment.
    void jump(record_id next) {
        if (segments.back().lines.empty()) segments.pop_back();
        segments.push_back({next, {}});
    }

    [[nodiscard]] std::map<record_id, std::string> records() const {
        std::map<record_id, std::string> all;
        for (const auto& s : segments) {
            for (std::size_t i = 0; i < s.lines.size(); ++i)
                all[s.first_id + i] = s.lines[i];
        }
        return all;
    }

  private:
    [[nodiscard]] std::uint64_t sealed_bytes() const {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i + 1 < segments.size(); ++i)
            sum += segments[i].bytes();
        return sum;
    }
};

/// One run: a log, its model, and the operations that are done to both.
class run {
  public:
    run(unsigned seed, bool compress) : random_(seed), compress_(compress) {
        choose_limits();
        open(false, 0);
    }

    void step() {
        switch (below(20)) {
            case 0:
                change_limits();
                break;
            case 1:
                return reopen();
            case 2:
                return kill();
            case 3:
                return cut_power();
            case 4:
                return fill_disk();
            default:
                submit();
        }
        check();
    }

    void check() {
        settle();
        const auto view = log_->snapshot();
        REQUIRE(view.segment_count() == model_.segments.size());
        std::vector<std::string> names;
        for (std::size_t i = 0; i < view.segment_count(); ++i) {
            const auto& expected = model_.segments[i];
            REQUIRE(view.segment(i).first_id == expected.first_id);
            REQUIRE(view.segment(i).bytes == expected.bytes());
            std::string text;
            for (const auto& line : expected.lines)
                text += line;
            const bool compressed = view.segment(i).is_compressed();
            REQUIRE(compressed == (compress_ && i + 1 < view.segment_count()));
            names.push_back(compressed ? compressed_name(expected.first_id)
                                       : segment_name(expected.first_id));
            REQUIRE((compressed ? text_of(view, i) : read_file(directory() / names.back())) == text);
        }
        REQUIRE(segment_files(directory()) == names);
        REQUIRE(view.next_id == model_.segments.back().next_id());
        REQUIRE(read_all(view) == model_.records());
        REQUIRE(fs::read_symlink(directory() / "current") == names.back());

        REQUIRE(listener_->in_order());
        const auto told = listener_->lines();
        for (const auto& [id, line] : model_.records()) {
            const auto found = told.find(id);
            // What an earlier process stored was told by that one.
            REQUIRE((found != told.end() || history_.contains(id)));
            REQUIRE((found != told.end() ? found->second : history_.at(id)) == line);
        }
    }

  private:
    static std::string text_of(const log_snapshot& view, std::size_t i) {
        std::string text(view.segment(i).bytes + 1, '\0');
        const auto opened = open_segment(view, i);
        REQUIRE(opened);
        text.resize(opened.get().read(text.data(), text.size(), 0));
        return text;
    }

    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
    [[nodiscard]] const fs::path& directory() const { return dir_->path(); }

    void choose_limits() {
        model_.max_bytes = below(10) == 0 ? below(50) : 200 + below(2000);
        model_.backup_count = below(6);
    }

    void open(bool may_jump, record_id expected_next) {
        auto options = options_for(directory());
        options.segment_max_bytes = model_.max_bytes;
        options.backup_count = model_.backup_count;
        options.compress = compress_;
        options.compress_retry_interval = 1ms;
        options.sync = static_cast<sync_policy>(below(3));
        options.sync_interval = 1ms;
        std::string state_text =
            fs::exists(directory() / ".state") ? read_file(directory() / ".state") : "none";
        CAPTURE(state_text);
        faults_ = std::make_unique<faults>();
        listener_ = std::make_unique<collector>();
        log_ = std::make_unique<log>(options, reports_.sink(), faults_->ops());
        const record_id next = log_->snapshot().next_id;
        if (model_.segments.empty()) {
            model_.segments.push_back({next, {}});
        } else if (may_jump) {
            INFO(reports_.all());
            REQUIRE(log_->recovered().jumped_from);
            REQUIRE(*log_->recovered().jumped_from == model_.segments.back().next_id());
            REQUIRE(next > newest_told_);
            REQUIRE(next >= model_.segments.back().next_id());
            model_.jump(next);
        } else {
            INFO(reports_.all());
            REQUIRE_FALSE(log_->recovered().jumped_from);
            REQUIRE(next == expected_next);
        }
        model_.retain();
        log_->start(*listener_);
    }

    void close() {
        settle();
        for (const auto& [id, line] : listener_->lines()) {
            REQUIRE(history_.emplace(id, line).second);  // no id is told twice
            newest_told_ = id;
        }
    }

    void submit() {
        const unsigned batches = 1 + below(below(4) == 0 ? 20 : 2);
        for (unsigned b = 0; b < batches; ++b) {
            std::vector<std::string> lines;
            const unsigned records = 1 + below(below(5) == 0 ? 60 : 6);
            for (unsigned r = 0; r < records; ++r) {
                lines.push_back(record_of(number_++, below(30) == 0 ? 300 + below(4000) : 24 + below(250)));
            }
            log_->submit(batch_of(lines));
            for (const auto& line : lines)
                model_.append(line);
            submitted_ += lines.size();
        }
    }

    void change_limits() {
        settle();
        choose_limits();
        log_->set_limits({.segment_max_bytes = model_.max_bytes,
                          .backup_count = model_.backup_count,
                          .compress = compress_});
        model_.retain();  // they hold from the next record on, also without a rotation
        submit();
    }

    void settle() {
        REQUIRE(listener_->wait_for(submitted_));
        REQUIRE(eventually([&] { return !log_->trouble(); }));
        // The start removes what narrower limits do not keep, on the writer thread.
        REQUIRE(eventually([&] { return log_->snapshot().segment_count() == model_.segments.size(); }));
        // What was compressed before stays so; what is plain now and then is, once it is compressed at all.
        if (!compress_) return;
        REQUIRE(eventually(
            [&] { return std::ranges::all_of(*log_->snapshot().sealed, &segment_info::is_compressed); }));
    }

    void reopen() {
        close();
        const record_id next = model_.segments.back().next_id();
        REQUIRE(log_->stop(5s).unstored_records == 0);
        log_.reset();
        submitted_ = 0;
        if (below(2) == 0) choose_limits();
        open(false, next);
        check();
    }

    /// Goes on with a copy of the directory, as it is at this moment: what a killed daemon leaves.
    void copy_as_left() {
        close();
        auto copy = std::make_unique<temp_dir>();
        fs::copy(directory(), copy->path(), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
        log_.reset();
        dir_ = std::move(copy);
        submitted_ = 0;
    }

    [[nodiscard]] fs::path newest_file() const {
        return directory() / segment_name(model_.segments.back().first_id);
    }

    void kill() {
        copy_as_left();
        if (compress_) leave_half_compressed();
        if (below(2) == 0) {
            // In the middle of a write.
            const std::string half = record_of(number_, 100).substr(0, 1 + below(99));
            write_file(newest_file(), read_file(newest_file()) + half);
        }
        open(false, model_.segments.back().next_id());
        check();
    }

    /// What a kill leaves between two steps of compressing a segment.
    void leave_half_compressed() {
        if (model_.segments.size() < 2) return;
        const auto& one = model_.segments[below(static_cast<unsigned>(model_.segments.size()) - 1)];
        const auto compressed = directory() / compressed_name(one.first_id);
        const auto unfinished = compressed.string() + ".new";
        std::string text;
        for (const auto& line : one.lines)
            text += line;
        switch (below(3)) {
            case 0:
                write_file(unfinished, read_file(compressed).substr(0, below(60)));
                break;
            case 1:
                fs::rename(compressed, unfinished);
                write_file(directory() / segment_name(one.first_id), text);
                break;
            default:
                write_file(directory() / segment_name(one.first_id), text);
        }
    }

    /// The newest segment loses bytes at its end, and may get zeros in their place.
    void cut_power() {
        copy_as_left();
        auto& newest = model_.segments.back();
        const std::string text = read_file(newest_file());
        const std::size_t kept = text.empty() ? 0 : below(static_cast<unsigned>(text.size()) + 1);
        write_file(newest_file(), text.substr(0, kept) + std::string(below(2) * below(5000), '\0'));
        while (newest.bytes() > kept)
            newest.lines.pop_back();
        if (below(5) == 0) {
            fs::remove(directory() / ".state");
        } else {
            state_file file(directory());
            auto state = file.load();
            REQUIRE(state);
            state->boot_id = "another boot";
            REQUIRE_FALSE(file.save(*state, state_file::durability::process));
        }
        open(true, 0);
        check();
    }

    void fill_disk() {
        settle();
        faults_->disk_full = true;
        submit();
        submit();
        REQUIRE(eventually([&] { return log_->trouble().has_value(); }));
        // Retention removes nothing while nothing is written, so all of it is found.
        REQUIRE(listener_->wait_for(submitted_));
        const auto view = log_->snapshot();
        const auto found = read_all(view);
        const auto told = listener_->lines();
        REQUIRE(view.held.bytes > 0);
        REQUIRE(found.rbegin()->first + 1 == view.next_id);
        for (const auto& [id, line] : told) {
            if (id >= view.oldest_id()) REQUIRE(found.at(id) == line);
        }
        faults_->disk_full = false;
        check();
    }

    std::mt19937 random_;
    const bool compress_;
    std::unique_ptr<temp_dir> dir_ = std::make_unique<temp_dir>();
    model model_;
    report_log reports_;
    std::unique_ptr<collector> listener_;
    std::unique_ptr<faults> faults_;
    std::unique_ptr<log> log_;
    std::map<record_id, std::string> history_;  ///< told by logs that have ended
    record_id newest_told_ = 0;
    std::size_t submitted_ = 0;  ///< to the log that is open
    std::uint64_t number_ = 0;
};

}  // namespace

TEST_CASE("the log agrees with its model after every one of many random operations") {
    for (unsigned seed = 1; seed <= 40; ++seed) {
        INFO("seed " << seed);
        run r(seed, zstd_is_built_in() && seed % 4 == 0);
        for (unsigned step = 0; step < 60; ++step) {
            INFO("step " << step);
            r.step();
        }
    }
}

TEST_CASE("a log that is killed at random moments keeps what it has told and retention keeps") {
    struct told {
        record_id first_id;
        std::uint64_t number;
        std::uint64_t records;
    };
    constexpr std::size_t size = 80;
    for (unsigned seed = 1; seed <= 4; ++seed) {
        const temp_dir dir;
        std::mt19937 random(seed);
        std::map<record_id, std::string> expected;
        record_id newest = 0;
        for (unsigned round = 0; round < 10; ++round) {
            INFO("seed " << seed << ", round " << round);
            auto options = options_for(dir.path());
            options.segment_max_bytes = 500 + random() % 3000;
            options.backup_count = random() % 4;
            options.sync = static_cast<sync_policy>(random() % 3);
            const std::uint64_t number = (seed * 100 + round) * 1'000'000'000ull;
            const unsigned kill_after = 1 + static_cast<unsigned>(random() % 400);
            int pipe_fds[2];
            REQUIRE(::pipe(pipe_fds) == 0);
            const pid_t child = ::fork();
            REQUIRE(child >= 0);
            if (child == 0) {
                struct telling : log_listener {
                    int fd = -1;
                    void on_appended(record_id first_id, const shared_records& batch) override {
                        const told message{first_id, std::stoull(batch->lines.substr(5)),
                                           batch->records.size()};
                        if (::write(fd, &message, sizeof message) != sizeof message) ::_exit(4);
                    }
                } listener;
                listener.fd = pipe_fds[1];
                report_log reports;
                log opened(options, reports.sink());
                opened.start(listener);
                for (std::uint64_t n = number;; n += 20) {
                    opened.submit(numbered_batch(n, 1 + n / 20 % 17, size));
                    while (opened.pending_bytes() > 5000)
                        std::this_thread::yield();
                }
            }
            ::close(pipe_fds[1]);
            told message{};
            for (unsigned n = 0; ::read(pipe_fds[0], &message, sizeof message) == sizeof message; ++n) {
                REQUIRE(message.first_id > newest);
                for (std::uint64_t i = 0; i < message.records; ++i) {
                    expected[message.first_id + i] = record_of(message.number + i, size);
                }
                newest = message.first_id + message.records - 1;
                if (n == kill_after) ::kill(child, SIGKILL);
            }
            ::close(pipe_fds[0]);
            int status = 0;
            REQUIRE(::waitpid(child, &status, 0) == child);
            REQUIRE(WIFSIGNALED(status));

            report_log reports;
            const log opened(options, reports.sink());
            REQUIRE_FALSE(opened.recovered().jumped_from);
            const auto view = opened.snapshot();
            REQUIRE(view.next_id > newest);
            const auto stored = read_all(view);
            for (auto it = expected.lower_bound(view.oldest_id()); it != expected.end(); ++it) {
                const auto found = stored.find(it->first);
                REQUIRE(found != stored.end());
                REQUIRE(found->second == it->second);
            }
            REQUIRE(std::accumulate(view.sealed->begin(), view.sealed->end(), std::uint64_t{0},
                                    [](std::uint64_t sum, const segment_info& s) { return sum + s.bytes; })
                    <= (options.backup_count + 1) * (options.segment_max_bytes + 20 * size));
            // What was stored and not yet told when the kill came keeps its id from now on.
            expected = stored;
            newest = view.next_id - 1;
        }
    }
}

}  // namespace livelogd::storage::test
