// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_compression.hpp"

#include "daemon/base/line_count.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/frame_table.hpp"
#include "daemon/storage/segment_blocks.hpp"
#include "daemon/storage/segment_name.hpp"
#include "daemon/storage/zstd_frames.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace livelogd::storage {
namespace {

struct cancelled {};
struct unfit {};

[[noreturn]] void fail(const char* what, const std::filesystem::path& path) {
    throw std::system_error(errno, std::generic_category(), what + path.string());
}

/// The compressed file while it is being made: removed unless it is kept.
class unfinished_file {
  public:
    unfinished_file(std::filesystem::path path, const file_ops& ops) : path_(std::move(path)), ops_(ops) {
        ops_.unlink(path_.c_str());  // one that was begun before
        fd_ = base::unique_fd(
            ops_.open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, log_file_mode));
        if (!fd_) fail("cannot create ", path_);
    }
    unfinished_file(const unfinished_file&) = delete;
    unfinished_file& operator=(const unfinished_file&) = delete;
    ~unfinished_file() {
        if (!kept_) ops_.unlink(path_.c_str());
    }

    void write(std::string_view bytes) {
        bytes_ += bytes.size();
        while (!bytes.empty()) {
            const ssize_t n = ops_.write(fd_.get(), bytes.data(), bytes.size());
            if (n > 0) {
                bytes.remove_prefix(static_cast<std::size_t>(n));
            } else if (n == 0 || errno != EINTR) {
                if (n == 0) errno = EIO;
                fail("cannot write ", path_);
            }
        }
    }

    /// Also gives it the time of the original: tools that go by the age of files find it as old.
    void finish(std::int64_t modified_ns) {
        const timespec modified{.tv_sec = modified_ns / 1'000'000'000,
                                .tv_nsec = modified_ns % 1'000'000'000};
        const timespec times[2] = {modified, modified};
        ::futimens(fd_.get(), times);  // best effort
        while (ops_.fsync(fd_.get()) != 0) {
            if (errno != EINTR) fail("cannot sync ", path_);
        }
        kept_ = true;
    }

    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
    const file_ops& ops_;
    base::unique_fd fd_;
    std::uint64_t bytes_ = 0;
    bool kept_ = false;
};

/// Frames of whole lines; only lines that are longer than a frame are cut.
frame_table write_frames(segment_source from, std::uint64_t bytes, unfinished_file& to,
                         const std::atomic<bool>& cancel) {
    frame_table table;
    frame_compressor compressor;
    const auto buffer = std::make_unique_for_overwrite<char[]>(most_frame_bytes);
    std::size_t used = 0;
    std::uint64_t position = 0;  ///< of what is not in the buffer yet
    while (position < bytes || used > 0) {
        if (cancel) throw cancelled();
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(most_frame_bytes - used, bytes - position));
        if (from.read(buffer.get() + used, wanted, position) != wanted) throw unfit();
        position += wanted;
        used += wanted;
        const std::size_t whole = whole_lines(buffer.get(), used);
        const std::size_t size = whole > 0 ? whole : used;
        const std::string_view lines(buffer.get(), size);
        const auto frame = compressor.compress(lines);
        to.write(frame);
        table.add(static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(size),
                  static_cast<std::uint32_t>(base::count_line_ends(lines)), whole > 0);
        used -= size;
        std::copy_n(buffer.get() + size, used, buffer.get());
    }
    // A segment that does not end with a line's end is not what was written.
    if (table.frames.empty() || !table.frames.back().ends_line) throw unfit();
    return table;
}

}  // namespace

compression_result compress_segment(const compression_job& job, const file_ops& ops,
                                    const std::atomic<bool>& cancel) {
    using end = compression_result::end;
    compression_result result{.job = job, .why = {}, .file = {}, .original = {}};
    const auto path = job.directory / segment_name(job.first_id);
    try {
        const base::unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!fd && errno == ENOENT) throw unfit();
        if (!fd) fail("cannot open ", path);
        const segment_source plain(fd.get());
        result.original = plain.identity();
        if (result.original.bytes != job.bytes) throw unfit();
        unfinished_file fresh(job.directory / compressed_name(job.first_id).append(rewrite_suffix), ops);
        frame_table table = write_frames(plain, job.bytes, fresh, cancel);
        table.first_id = job.first_id;
        table.original = result.original;
        fresh.write(tail_of(table));
        if (plain.identity() != result.original) throw unfit();
        fresh.finish(result.original.modified_ns);
        result.file = fresh.path();
        result.compressed_bytes = fresh.bytes();
        result.what = end::made;
    } catch (const cancelled&) {
        result.what = end::cancelled;
    } catch (const unfit&) {
        result.what = end::unfit;
    } catch (const std::runtime_error& error) {
        result.what = end::failed;
        result.why = error.what();
    }
    return result;
}

}  // namespace livelogd::storage
