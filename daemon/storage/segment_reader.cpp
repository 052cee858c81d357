// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_reader.hpp"

#include <cstring>

namespace livelogd::storage {

namespace {

constexpr std::size_t first_backward_block = 16u << 10;

}  // namespace

forward_reader::forward_reader(segment_source from, std::uint64_t begin, std::uint64_t end,
                               std::size_t block_bytes)
    : blocks_({.first = block_bytes, .largest = block_bytes}) {
    blocks_.start(from, begin, end);
}

bool forward_reader::next(stored_line& line) {
    if (rest_.bytes.empty() && !blocks_.next(rest_)) return false;
    const char* const data = rest_.bytes.data();
    const auto* const end = static_cast<const char*>(std::memchr(data, '\n', rest_.bytes.size()));
    const auto size = static_cast<std::size_t>(end - data);
    line.offset = rest_.offset;
    line.bytes = rest_.bytes.substr(0, size);
    rest_.offset += size + 1;
    rest_.bytes.remove_prefix(size + 1);
    return true;
}

backward_reader::backward_reader(segment_source from, std::uint64_t begin, std::uint64_t end)
    : blocks_({.first = first_backward_block}) {
    blocks_.start(from, begin, end);
}

bool backward_reader::previous(stored_line& line) {
    if (rest_.bytes.empty() && !blocks_.previous(rest_)) return false;
    const std::size_t size = rest_.bytes.size() - 1;
    const std::size_t start = whole_lines(rest_.bytes.data(), size);
    line.offset = rest_.offset + start;
    line.bytes = rest_.bytes.substr(start, size - start);
    rest_.bytes = rest_.bytes.substr(0, start);
    return true;
}

}  // namespace livelogd::storage
