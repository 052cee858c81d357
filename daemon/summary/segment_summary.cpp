// SPDX-License-Identifier: MIT
#include "daemon/summary/segment_summary.hpp"

#include "daemon/base/checksum.hpp"
#include "daemon/base/unique_fd.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace livelogd::summary {

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
    if (base::checksum_of(bytes) != extent.checksum) throw damaged_summary();
    return bytes;
}

segment_summary::segment_summary(std::vector<page> pages,
                                 std::vector<std::shared_ptr<const page_texts>> texts)
    : pages_(std::move(pages)), texts_(std::move(texts)) {
    for (const page& one : pages_)
        add_up(one);
}

segment_summary::segment_summary(std::string whole, std::filesystem::path file, std::string list,
                                 std::uint64_t parts_offset)
    : whole_(std::move(whole)), file_(std::move(file)), list_(std::move(list)), parts_offset_(parts_offset) {
    for (page_reader in(list_, parts_offset_); !in.at_end();)
        add_up(in.next().what);
}

void segment_summary::add_up(const page& one) {
    ++page_count_;
    end_ = one.end;
    times_.merge(one.times);
    errors_ += one.errors;
    durations_ += one.durations;
}

std::vector<page> segment_summary::pages() const {
    if (!pages_.empty()) return pages_;
    std::vector<page> read;
    read.reserve(page_count_);
    for (page_reader in(list_, parts_offset_); !in.at_end();)
        read.push_back(in.next().what);
    return read;
}

std::string segment_summary::part(std::size_t page, page_part which) const {
    const auto number = static_cast<std::size_t>(which);
    if (!texts_.empty()) return (*texts_[page])[number];
    page_reader in(list_, parts_offset_);
    for (; page > 0; --page)
        in.next();
    const checked_extent extent = in.next().parts[number];
    const base::unique_fd file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) throw damaged_summary();
    return read_checked(file.get(), extent);
}

std::vector<error_place> segment_summary::errors_of(std::size_t which, const page& one) const {
    std::vector<error_place> places;
    if (one.errors == 0) return places;
    const std::string bytes = part(which, page_part::errors);
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
    std::size_t bytes = sizeof *this + whole_.capacity() + file_.native().capacity() + list_.capacity()
                        + pages_.capacity() * sizeof(page);
    for (const auto& texts : texts_)
        for (const std::string& text : *texts)
            bytes += text.capacity();
    return bytes;
}

}  // namespace livelogd::summary
