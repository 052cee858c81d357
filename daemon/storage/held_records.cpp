// SPDX-License-Identifier: MIT
#include "daemon/storage/held_records.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/mman.h>
#include <unistd.h>

namespace livelogd::storage {

held_records::held_records() {
    make_file();
}

void held_records::make_file() {
    base::unique_fd fd(::memfd_create("livelogd-held", MFD_CLOEXEC));
    file_ = fd ? std::make_shared<const base::unique_fd>(std::move(fd)) : nullptr;
}

bool held_records::show_instead(protocol::record_id first_id, std::span<const std::string_view> lines) {
    // Readers may be at work in what was shown before: it is not touched.
    const auto old_file = file_;
    const auto old_bytes = bytes_;
    if (bytes_ > 0 || !file_) make_file();
    bytes_ = 0;
    if (!file_ || !std::ranges::all_of(lines, [this](std::string_view part) { return show(part); })) {
        file_ = old_file;
        bytes_ = old_bytes;
        return false;
    }
    first_id_ = first_id;
    return true;
}

bool held_records::show(std::string_view lines) {
    if (!file_) return false;
    std::size_t written = 0;
    while (written < lines.size()) {
        const ssize_t n = ::pwrite(file_->get(), lines.data() + written, lines.size() - written,
                                   static_cast<off_t>(bytes_ + written));
        if (n > 0) {
            written += static_cast<std::size_t>(n);
        } else if (n == 0 || errno != EINTR) {
            return false;
        }
    }
    bytes_ += lines.size();
    return true;
}

void held_records::clear() {
    waiting.clear();
    if (bytes_ > 0 || !file_) make_file();
    first_id_ = 0;
    bytes_ = 0;
}

}  // namespace livelogd::storage
