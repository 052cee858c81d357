// SPDX-License-Identifier: MIT
// A folder of a test's own.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include <unistd.h>

namespace livelogd::test {

/// Where test folders are made: $TMPDIR if it is set, else in memory if there is such a place. The tests open
/// and stop thousands of logs, each time with several fsyncs, which on a busy disk take minutes.
inline std::filesystem::path scratch_place() {
    if (std::getenv("TMPDIR") == nullptr && ::access("/dev/shm", W_OK | X_OK) == 0) return "/dev/shm";
    return std::filesystem::temp_directory_path();
}

/// An empty folder that goes with the object.
class temp_dir {
  public:
    temp_dir() {
        std::string name = (scratch_place() / "livelogd-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed for " + name);
        path_ = name;
    }
    ~temp_dir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temp_dir(const temp_dir&) = delete;
    temp_dir& operator=(const temp_dir&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

}  // namespace livelogd::test
