// SPDX-License-Identifier: MIT
#include "daemon/storage/log_directory.hpp"

#include "daemon/base/errno_text.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/log_options.hpp"
#include "daemon/storage/segment_name.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace livelogd::storage {

namespace {

namespace fs = std::filesystem;

constexpr mode_t directory_mode = 0750;
constexpr const char* new_current_name = ".current.new";

[[noreturn]] void fail(const std::string& what, int error, const std::string& cure) {
    throw log_error(log_error::kind::io, what + ": " + base::errno_text(error) + "; " + cure);
}

const std::string choose_another =
    "give the daemon's user the right to write there, or choose another directory with log_dir";

/// A new name is only safe from a power cut once the directory it is in has been synced.
void sync_best_effort(const fs::path& directory) {
    const base::unique_fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd) ::fsync(fd.get());
}

/// Returns 0 or an errno. That the path exists as something else than a directory is not noticed here.
int make_directories(const fs::path& directory) {
    if (::mkdir(directory.c_str(), directory_mode) == 0) {
        sync_best_effort(directory.parent_path());
        return 0;
    }
    if (errno == EEXIST) return 0;
    if (errno != ENOENT || directory == directory.parent_path()) return errno;
    if (const int error = make_directories(directory.parent_path())) return error;
    if (::mkdir(directory.c_str(), directory_mode) != 0 && errno != EEXIST) return errno;
    sync_best_effort(directory.parent_path());
    return 0;
}

fs::path absolute_path(const fs::path& directory) {
    std::error_code error;
    const fs::path absolute = fs::absolute(directory, error);
    if (error || directory.empty()) {
        throw log_error(log_error::kind::io, "the log directory '" + directory.string()
                                                 + "' is no usable path; set log_dir to a directory");
    }
    fs::path normal = absolute.lexically_normal();
    if (!normal.has_filename() && normal != normal.root_path()) normal = normal.parent_path();
    return normal;
}

/// The process that the lock file names; for the message only.
std::string lock_holder(int fd) {
    char text[32];
    const ssize_t n = ::pread(fd, text, sizeof text, 0);
    std::string pid;
    for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; ++i)
        pid += text[i];
    return pid.empty() ? "an unknown process" : "process " + pid;
}

}  // namespace

log_directory::log_directory(const fs::path& directory, base::report_sink report)
    : report_(std::move(report)), path_(absolute_path(directory)) {
    attach();
}

void log_directory::attach() {
    if (const int error = make_directories(path_)) {
        fail("cannot create the log directory " + path_.string(), error, choose_another);
    }
    base::unique_fd directory(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) fail("cannot open the log directory " + path_.string(), errno, choose_another);
    // Both or none: without the lock the directory is not this daemon's.
    lock_ = take_lock();
    const std::lock_guard lock(mutex_);
    directory_ = std::make_shared<const base::unique_fd>(std::move(directory));
}

base::unique_fd log_directory::take_lock() const {
    const fs::path file = path_ / lock_file_name;
    base::unique_fd lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, log_file_mode));
    if (!lock) fail("cannot create " + file.string(), errno, choose_another);
    while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) {
            fail("cannot lock " + file.string(), errno, "choose a file system that knows locks with log_dir");
        }
        throw log_error(log_error::kind::taken,
                        "the log directory " + path_.string() + " is in use by another daemon ("
                            + lock_holder(lock.get())
                            + "); stop that one, or give this one a directory of its own with log_dir");
    }
    // The text only serves the message above: a full disk must not keep the daemon from starting.
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), pid.data(), pid.size(), 0) < 0) {
        report_(base::severity::debug, "cannot note the process number in " + file.string());
    }
    return lock;
}

void log_directory::reattach() {
    struct stat named{};
    struct stat open{};
    if (::stat(path_.c_str(), &named) == 0 && ::fstat(opened()->get(), &open) == 0
        && named.st_ino == open.st_ino && named.st_dev == open.st_dev) {
        return;
    }
    attach();
    report_(base::severity::warning, "the log directory " + path_.string()
                                         + " had been removed or renamed; the log goes on in a new one");
}

log_directory::contents log_directory::list() const {
    contents found;
    std::error_code error;
    fs::directory_iterator entries(path_, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        const std::string name = entries->path().filename().string();
        if (name.ends_with(torn_suffix)) {
            const std::string_view segment(name.data(), name.size() - torn_suffix.size());
            if (const auto id = parse_segment_name(segment)) found.torn.push_back(*id);
            continue;
        }
        if (name.ends_with(rewrite_suffix)) {
            const std::string_view segment(name.data(), name.size() - rewrite_suffix.size());
            if (parse_segment_name(segment) || parse_compressed_name(segment))
                found.unfinished.push_back(entries->path());
            continue;
        }
        const auto plain = parse_segment_name(name);
        const auto id = plain ? plain : parse_compressed_name(name);
        if (!id) continue;
        struct stat status{};
        if (::lstat(entries->path().c_str(), &status) != 0) {
            if (errno == ENOENT) continue;
            fail("cannot examine " + entries->path().string(), errno, choose_another);
        }
        if (!S_ISREG(status.st_mode)) {
            report_(base::severity::warning,
                    entries->path().string() + " is not a regular file and is ignored");
            continue;
        }
        segment_info one{.first_id = *id};
        one.written_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
        (plain ? one.bytes : one.compressed_bytes) = static_cast<std::uint64_t>(status.st_size);
        (plain ? found.segments : found.compressed).push_back(one);
    }
    if (error) fail("cannot list the log directory " + path_.string(), error.value(), choose_another);
    std::sort(found.segments.begin(), found.segments.end(),
              [](const segment_info& a, const segment_info& b) { return a.first_id < b.first_id; });
    std::sort(found.compressed.begin(), found.compressed.end(),
              [](const segment_info& a, const segment_info& b) { return a.first_id < b.first_id; });
    std::sort(found.torn.begin(), found.torn.end());
    return found;
}

std::shared_ptr<const base::unique_fd> log_directory::opened() const {
    const std::lock_guard lock(mutex_);
    return directory_;
}

void log_directory::sync() const {
    if (::fsync(opened()->get()) != 0) {
        throw std::system_error(errno, std::generic_category(),
                                "cannot sync the log directory " + path_.string());
    }
}

void log_directory::try_to_sync() {
    try {
        sync();
        warned_about_sync_ = false;
    } catch (const std::system_error& failure) {
        if (!warned_about_sync_.exchange(true)) report_(base::severity::error, failure.what());
    }
}

void log_directory::point_current_at(protocol::record_id first_id) {
    const std::string target = segment_name(first_id);
    const fs::path link = path_ / current_link_name;
    struct stat status{};
    if (::lstat(link.c_str(), &status) == 0) {
        if (!S_ISLNK(status.st_mode))
            return warn_about_current("it is not a symbolic link and is left alone");
        std::error_code ignored;
        if (fs::read_symlink(link, ignored) == target) return;
    }
    const fs::path fresh = path_ / new_current_name;
    ::unlink(fresh.c_str());  // one that a killed daemon left
    if (::symlink(target.c_str(), fresh.c_str()) != 0 || ::rename(fresh.c_str(), link.c_str()) != 0) {
        return warn_about_current(base::errno_text(errno));
    }
    warned_about_current_ = false;
}

void log_directory::warn_about_current(const std::string& why) {
    if (warned_about_current_) return;
    warned_about_current_ = true;
    report_(base::severity::warning,
            "cannot point " + (path_ / current_link_name).string() + " to the newest segment: " + why);
}

}  // namespace livelogd::storage
