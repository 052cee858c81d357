// SPDX-License-Identifier: MIT
#include "daemon/summary/segment_summary.hpp"

#include "daemon/base/unique_fd.hpp"
#include "daemon/summary/byte_codec.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace livelogd::summary {

std::uint64_t checksum_of(std::string_view bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

std::string read_checked(int fd, const checked_extent& extent) {
    std::string bytes(static_cast<std::size_t>(extent.size), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n =
            ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(extent.offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw std::system_error(errno, std::generic_category(), "cannot read a summary");
        if (n == 0) throw damaged_summary();
        done += static_cast<std::size_t>(n);
    }
    if (checksum_of(bytes) != extent.checksum) throw damaged_summary();
    return bytes;
}

segment_summary::segment_summary(std::vector<page> pages) : pages_(std::move(pages)) {
    for (const page& one : pages_) {
        times_.merge(one.times);
        errors_ += one.errors;
        durations_ += one.durations;
    }
}

segment_summary::segment_summary(std::vector<page> pages,
                                 std::vector<std::shared_ptr<const page_texts>> texts)
    : segment_summary(std::move(pages)) {
    texts_ = std::move(texts);
}

segment_summary::segment_summary(std::vector<page> pages, std::string whole, std::filesystem::path file,
                                 std::vector<page_extents> extents)
    : segment_summary(std::move(pages)) {
    whole_ = std::move(whole);
    file_ = std::move(file);
    extents_ = std::move(extents);
}

std::string segment_summary::part(std::size_t page, page_part which) const {
    const auto number = static_cast<std::size_t>(which);
    if (!texts_.empty()) return (*texts_[page])[number];
    const base::unique_fd file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) throw damaged_summary();
    return read_checked(file.get(), extents_[page][number]);
}

std::vector<error_place> segment_summary::errors_of(std::size_t number) const {
    const page& one = pages_[number];
    std::vector<error_place> places;
    if (one.errors == 0) return places;
    const std::string bytes = part(number, page_part::errors);
    byte_reader in(bytes);
    error_place last{.line = one.first_line, .offset = one.begin};
    while (in.left() > 0) {
        last.line += in.number();
        last.offset += in.number();
        if (last.offset >= one.end || last.line >= one.first_line + one.lines) throw damaged_summary();
        places.push_back(last);
    }
    return places;
}

std::size_t segment_summary::memory() const {
    std::size_t bytes =
        sizeof *this + whole_.size() + pages_.size() * sizeof(page) + extents_.size() * sizeof(page_extents);
    for (const auto& texts : texts_)
        for (const std::string& text : *texts)
            bytes += text.size();
    return bytes;
}

}  // namespace livelogd::summary
