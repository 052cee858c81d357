// SPDX-License-Identifier: MIT
#include "protocol/framer.hpp"

#include <algorithm>

namespace livelogd::protocol {
namespace {

/// A buffer that grew beyond this for one long line is given back after it.
constexpr std::size_t kept_capacity = std::size_t{64} * 1024;

bool is_blank(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
}

std::string_view without_cr(std::string_view bytes) {
    if (!bytes.empty() && bytes.back() == '\r') bytes.remove_suffix(1);
    return bytes;
}

}  // namespace

void line_framer::hold(std::string_view part) {
    seen_bytes_ += part.size();
    if (!skipping_) {
        // One byte more than the limit may still turn out to be the CR before the LF.
        const bool fits = seen_bytes_ <= max_line_bytes_
                          || (seen_bytes_ == std::uint64_t{max_line_bytes_} + 1 && part.back() == '\r');
        if (fits) {
            held_.append(part);
            return;
        }
        skipping_ = true;
        held_.resize(std::min(held_.size(), max_raw_bytes));
        if (held_.capacity() > kept_capacity) held_.shrink_to_fit();
    }
    last_was_cr_ = part.back() == '\r';
    if (!abandoned_) held_.append(part.substr(0, max_raw_bytes - held_.size()));
}

/// A line of which nothing is held.
bool line_framer::lies_whole(std::string_view bytes, framed_line& line) const {
    bytes = without_cr(bytes);
    if (bytes.size() > max_line_bytes_) {
        line = {bytes.substr(0, max_raw_bytes), bytes.size(), framed_line::state::oversized};
        return true;
    }
    if (is_blank(bytes)) return false;
    line = {bytes, bytes.size(), framed_line::state::whole};
    return true;
}

bool line_framer::complete(std::string_view last_part, framed_line& line) {
    if (!skipping_ && held_.empty()) return lies_whole(last_part, line);
    if (!last_part.empty()) hold(last_part);
    if (abandoned_) return false;
    if (skipping_) {
        const std::uint64_t total = seen_bytes_ - (last_was_cr_ ? 1 : 0);
        const auto shown = static_cast<std::size_t>(std::min<std::uint64_t>(held_.size(), total));
        line = {std::string_view(held_).substr(0, shown), total, framed_line::state::oversized};
        return true;
    }
    const std::string_view bytes = without_cr(held_);
    if (is_blank(bytes)) return false;
    line = {bytes, bytes.size(), framed_line::state::whole};
    return true;
}

bool line_framer::give_up(framed_line& line) {
    if (!has_partial_line()) return false;
    if (is_blank(held_)) {
        // What follows the blanks may still be a record.
        reset();
        return false;
    }
    line = {std::string_view(held_).substr(0, max_raw_bytes), seen_bytes_, framed_line::state::abandoned};
    skipping_ = true;
    abandoned_ = true;
    return true;
}

void line_framer::release_abandoned() {
    if (abandoned_) std::string().swap(held_);
}

void line_framer::reset() {
    held_.clear();
    if (held_.capacity() > kept_capacity) held_.shrink_to_fit();
    seen_bytes_ = 0;
    skipping_ = false;
    abandoned_ = false;
    last_was_cr_ = false;
}

}  // namespace livelogd::protocol
