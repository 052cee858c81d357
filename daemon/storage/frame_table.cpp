// SPDX-License-Identifier: MIT
#include "daemon/storage/frame_table.hpp"

#include "daemon/base/checksum.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include <sys/stat.h>

namespace livelogd::storage {
namespace {

static_assert(std::endian::native == std::endian::little);

// Of the seekable format.
constexpr std::uint32_t seek_table_frame = 0x184D2A5E;
constexpr std::uint32_t seekable_magic = 0x8F92EAB1;
constexpr std::size_t entry_bytes = 8;   // two sizes: without checksums, which the frames have themselves
constexpr std::size_t footer_bytes = 9;  // the number of frames, a descriptor, the magic number
constexpr std::size_t header_bytes = 8;  // of a skippable frame: magic number and size

// Of livelogd's own frame.
constexpr std::uint32_t own_frame = 0x184D2A5D;  // one of the sixteen that decompressing skips
constexpr std::string_view own_magic = "livelogd";
constexpr std::uint64_t own_version = 1;
constexpr std::size_t own_fixed_bytes = 8 + 7 * 8 + 8;  // the magic, seven numbers, the checksum

/// Covers the table of segments of 10 MiB with one read.
constexpr std::size_t first_read_bytes = 4096;

template <class Number>
void put(std::string& out, Number n) {
    char bytes[sizeof n];
    std::memcpy(bytes, &n, sizeof n);
    out.append(bytes, sizeof n);
}

template <class Number>
Number take(std::string_view& in) {
    if (in.size() < sizeof(Number)) throw damaged_segment("its table is cut");
    Number n{};
    std::memcpy(&n, in.data(), sizeof n);
    in.remove_prefix(sizeof n);
    return n;
}

void put_entries(std::string& out, const frame_table& table) {
    for (const auto& frame : table.frames) {
        put(out, frame.compressed);
        put(out, frame.size);
    }
}

/// Of livelogd's frame and of the entries of the frames: the format itself checks neither.
std::uint64_t checksum_of_both(std::string_view own, const frame_table& table) {
    std::string all(own);
    put_entries(all, table);
    return base::checksum_of(all);
}

std::string read_exactly(int fd, std::uint64_t begin, std::size_t size) {
    std::string bytes(size, '\0');
    if (segment_source(fd).read(bytes.data(), size, begin) != size) throw damaged_segment("it is being cut");
    return bytes;
}

std::uint64_t size_of(int fd) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot look at a compressed log segment");
    }
    return static_cast<std::uint64_t>(status.st_size);
}

struct footer {
    std::uint32_t frames = 0;
    std::uint64_t table_bytes = 0;  ///< of the whole skippable frame
};

footer read_footer(std::string_view end) {
    if (end.size() < footer_bytes) throw damaged_segment("it is too short");
    end.remove_prefix(end.size() - footer_bytes);
    footer found;
    found.frames = take<std::uint32_t>(end);
    const auto descriptor = take<std::uint8_t>(end);
    if (take<std::uint32_t>(end) != seekable_magic || descriptor != 0) {
        throw damaged_segment(
            "it does not end with livelogd's seek table: it is cut, or another program made it");
    }
    found.table_bytes = header_bytes + std::uint64_t{found.frames} * entry_bytes + footer_bytes;
    return found;
}

/// What livelogd's frame tells of the frames that the seek table has named.
void read_own_frame(std::string_view bytes, frame_table& table) {
    std::string_view in = bytes;
    if (take<std::uint32_t>(in) != own_frame || take<std::uint32_t>(in) != in.size()
        || in.size() != own_fixed_bytes + table.frames.size() * 4 || !in.starts_with(own_magic)) {
        throw damaged_segment("what livelogd notes in front of the seek table is missing");
    }
    const std::string_view own = in.substr(0, in.size() - 8);
    std::string_view last = in.substr(in.size() - 8);
    if (take<std::uint64_t>(last) != checksum_of_both(own, table))
        throw damaged_segment("its table is damaged");
    in.remove_prefix(own_magic.size());
    if (take<std::uint64_t>(in) != own_version) throw damaged_segment("a newer livelogd made it");
    table.first_id = take<std::uint64_t>(in);
    table.original.inode = take<std::uint64_t>(in);
    table.original.bytes = take<std::uint64_t>(in);
    table.original.modified_ns = take<std::int64_t>(in);
    table.lines = take<std::uint64_t>(in);
    if (take<std::uint64_t>(in) != table.frames.size()) throw damaged_segment("its table is damaged");
    std::uint64_t line = 0;
    for (auto& frame : table.frames) {
        const auto noted = take<std::uint32_t>(in);
        frame.first_line = line;
        frame.line_ends = noted / 2;
        frame.ends_line = noted % 2 != 0;
        line += frame.line_ends;
        const bool possible = frame.size > 0 && frame.size <= most_frame_bytes
                              && frame.line_ends <= frame.size && (frame.line_ends > 0 || !frame.ends_line);
        if (!possible) throw damaged_segment("its table is damaged");
    }
    if (line != table.lines || table.bytes() != table.original.bytes)
        throw damaged_segment("its table is damaged");
}

}  // namespace

void frame_table::add(std::uint32_t compressed, std::uint32_t size, std::uint32_t line_ends, bool ends_line) {
    frames.push_back({.place = end_place(),
                      .compressed = compressed,
                      .size = size,
                      .begin = bytes(),
                      .first_line = lines,
                      .line_ends = line_ends,
                      .ends_line = ends_line});
    lines += line_ends;
}

std::size_t frame_table::frame_with(std::uint64_t offset) const {
    const auto behind = std::ranges::upper_bound(frames, offset, {}, &frame::begin);
    return static_cast<std::size_t>(behind - frames.begin()) - 1;
}

std::uint64_t frame_table::bytes() const {
    return frames.empty() ? 0 : frames.back().begin + frames.back().size;
}

std::uint64_t frame_table::end_place() const {
    return frames.empty() ? 0 : frames.back().place + frames.back().compressed;
}

std::string tail_of(const frame_table& table) {
    std::string own(own_magic);
    put(own, own_version);
    put(own, std::uint64_t{table.first_id});
    put(own, table.original.inode);
    put(own, table.original.bytes);
    put(own, table.original.modified_ns);
    put(own, table.lines);
    put(own, std::uint64_t{table.frames.size()});
    for (const auto& frame : table.frames)
        put(own, static_cast<std::uint32_t>(frame.line_ends * 2 + (frame.ends_line ? 1 : 0)));
    put(own, checksum_of_both(own, table));

    std::string out;
    put(out, own_frame);
    put(out, static_cast<std::uint32_t>(own.size()));
    out += own;
    const auto own_frame_bytes = static_cast<std::uint32_t>(out.size());

    const auto entries = table.frames.size() + 1;
    put(out, seek_table_frame);
    put(out, static_cast<std::uint32_t>(entries * entry_bytes + footer_bytes));
    put_entries(out, table);
    put(out, own_frame_bytes);
    put(out, std::uint32_t{0});  // a skippable frame holds nothing
    put(out, static_cast<std::uint32_t>(entries));
    put(out, std::uint8_t{0});
    put(out, seekable_magic);
    return out;
}

frame_table read_table(int fd, protocol::record_id first_id) {
    const std::uint64_t size = size_of(fd);
    const auto first = static_cast<std::size_t>(std::min<std::uint64_t>(size, first_read_bytes));
    std::string end = read_exactly(fd, size - first, first);
    const footer foot = read_footer(end);
    if (foot.frames == 0 || foot.table_bytes > size) throw damaged_segment("its seek table is damaged");
    const std::uint64_t own_bytes = header_bytes + own_fixed_bytes + std::uint64_t{foot.frames - 1} * 4;
    const std::uint64_t tail_bytes = own_bytes + foot.table_bytes;
    if (tail_bytes > size) throw damaged_segment("its seek table is damaged");
    if (tail_bytes > end.size())
        end = read_exactly(fd, size - tail_bytes, static_cast<std::size_t>(tail_bytes));
    const std::string_view tail =
        std::string_view(end).substr(end.size() - static_cast<std::size_t>(tail_bytes));

    std::string_view in = tail.substr(static_cast<std::size_t>(own_bytes));
    if (take<std::uint32_t>(in) != seek_table_frame || take<std::uint32_t>(in) != in.size()) {
        throw damaged_segment("its seek table is damaged");
    }
    frame_table table;
    table.frames.reserve(foot.frames - 1);
    for (std::uint32_t i = 0; i + 1 < foot.frames; ++i) {
        const auto compressed = take<std::uint32_t>(in);
        table.add(compressed, take<std::uint32_t>(in), 0, true);
    }
    const bool fits = take<std::uint32_t>(in) == own_bytes && take<std::uint32_t>(in) == 0
                      && table.end_place() + tail_bytes == size;
    if (!fits) throw damaged_segment("its seek table is damaged");
    read_own_frame(tail.substr(0, static_cast<std::size_t>(own_bytes)), table);
    if (table.first_id != first_id) throw damaged_segment("it was made of another segment and then renamed");
    return table;
}

}  // namespace livelogd::storage
