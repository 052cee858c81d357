// SPDX-License-Identifier: MIT
#include "daemon/filter/line_sieve.hpp"

#include "daemon/base/line_count.hpp"
#include "daemon/filter/byte_rarity.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

namespace livelogd::filter {
namespace {

constexpr std::string_view escape_front = "\\u00";
constexpr std::size_t escape_size = 6;

/// Of \u00XX the second character, u, says least: what follows a backslash is mostly something else, but
/// where it is u it is so many times in a row.
constexpr byte_triple escape_triple{.at = {0, 2, 3}, .bits = {}, .value = {'\\', '0', '0'}};

/// So much is marked at a time: the marks stay in the cache.
constexpr std::size_t marks_at_once = 64;
constexpr std::size_t bytes_at_once = marks_at_once * places_in_mark;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// The three bytes of `literal` that are least common.
byte_triple rarest_of(std::string_view literal) {
    std::vector<std::uint8_t> places(literal.size());
    std::iota(places.begin(), places.end(), std::uint8_t{0});
    // Of equally common ones the first, so that it is always the same.
    std::ranges::sort(places, {}, [&](std::uint8_t i) { return std::pair(commonness(literal[i]), i); });
    byte_triple triple;
    for (std::size_t i = 0; i < triple.at.size(); ++i) {
        const std::uint8_t at = places[std::min(i, places.size() - 1)];
        const char c = literal[at];
        triple.at[i] = at;
        triple.bits[i] = c >= 'a' && c <= 'z' ? 0x20 : 0;
        triple.value[i] = static_cast<std::uint8_t>(c);
    }
    return triple;
}

std::size_t place_of(const void* found, std::string_view block) {
    return static_cast<std::size_t>(static_cast<const char*>(found) - block.data());
}

/// Of the LF that ends the line which `from` is in.
std::size_t line_end(std::string_view block, std::size_t from) {
    const void* const found = std::memchr(block.data() + from, '\n', block.size() - from);
    return found == nullptr ? block.size() : place_of(found, block);
}

/// Where the line begins that `place` is in; `at`: where it or an earlier one does.
std::size_t line_begin(std::string_view block, std::size_t at, std::size_t place) {
    const void* const found = place == at ? nullptr : ::memrchr(block.data() + at, '\n', place - at);
    return found == nullptr ? at : place_of(found, block) + 1;
}

std::size_t pick_all(std::string_view block, std::vector<line_place>& left) {
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < block.size(); ++number) {
        const std::size_t end = line_end(block, begin);
        left.push_back({.begin = begin, .size = end - begin, .number = number});
        begin = end + 1;
    }
    return number;
}

}  // namespace

/// One way through a block.
class line_sieve::walk {
  public:
    walk(const line_sieve& sieve, std::string_view block, std::vector<line_place>& left)
        : sieve_(sieve), block_(block), left_(left) {}

    std::size_t go() {
        std::array<std::uint64_t, marks_at_once> marks{};
        for (std::size_t begin = 0; begin < block_.size(); begin = std::max(begin + bytes_at_once, line_)) {
            marks.fill(0);
            mark(begin, marks);
            for (std::size_t i = 0; i < marks.size(); ++i)
                if (marks[i] != 0) take(begin + i * places_in_mark, marks[i]);
        }
        return number_ + base::count_line_ends(block_.substr(std::min(line_, block_.size())));
    }

  private:
    /// Marks the places from `begin` on where something may stand.
    void mark(std::size_t begin, std::span<std::uint64_t> marks) {
        constexpr std::size_t touched = bytes_at_once + byte_triple::reach;
        const char* text = block_.data() + begin;
        std::array<char, touched> end_of_block;
        if (const std::size_t rest = block_.size() - begin; rest < touched) {
            // What follows the block is not to be read. No trace holds a zero.
            end_of_block.fill('\0');
            std::memcpy(end_of_block.data(), text, rest);
            text = end_of_block.data();
        }
        for (const literal& one : sieve_.literals_)
            mark_places(one.rarest, text, marks);
        if (sieve_.escaped_.any()) mark_places(escape_triple, text, marks);
    }

    /// Leaves the lines of these places that have a trace there.
    void take(std::size_t begin, std::uint64_t mark) {
        for (; mark != 0; mark &= mark - 1) {
            const std::size_t place = begin + static_cast<std::size_t>(std::countr_zero(mark));
            if (place < line_) continue;
            // A text can be made in which nearly all places nearly fit. Then its lines are left unlooked at.
            const bool may_look = compared_ <= 4 * block_.size();
            if (!may_look || sieve_.has_trace_at(block_, place, compared_)) leave(place);
        }
    }

    void leave(std::size_t place) {
        const std::size_t begin = line_begin(block_, line_, place);
        const std::size_t end = line_end(block_, place);
        number_ += base::count_line_ends(block_.substr(line_, begin - line_));
        left_.push_back({.begin = begin, .size = end - begin, .number = number_});
        ++number_;
        line_ = end + 1;
    }

    const line_sieve& sieve_;
    std::string_view block_;
    std::vector<line_place>& left_;
    std::size_t line_ = 0;    ///< where the first line begins that is not dealt with
    std::size_t number_ = 0;  ///< of that line
    std::size_t compared_ = 0;
};

line_sieve::line_sieve(const text_traces& traces) {
    for (const std::string& bytes : traces.literals())
        literals_.push_back({.bytes = bytes, .rarest = rarest_of(bytes)});
    if (!literals_.empty()) escaped_ = traces.escaped();
}

std::size_t line_sieve::pick(std::string_view block, std::vector<line_place>& left) const {
    if (leaves_all()) return pick_all(block, left);
    return walk(*this, block, left).go();
}

/// `compared`: grows by the bytes that were looked at.
bool line_sieve::has_trace_at(std::string_view block, std::size_t place, std::size_t& compared) const {
    const std::string_view rest = block.substr(place);
    for (const literal& one : literals_) {
        if (rest.size() < one.bytes.size()) continue;
        std::size_t alike = 0;
        while (alike < one.bytes.size() && lower(rest[alike]) == one.bytes[alike])
            ++alike;
        if (alike == one.bytes.size()) return true;
        compared += alike + 1;
    }
    return has_escape_at(rest);
}

bool line_sieve::has_escape_at(std::string_view rest) const {
    if (!escaped_.any() || !rest.starts_with(escape_front) || rest.size() < escape_size) return false;
    const std::int32_t unit = protocol::hex4(rest.substr(2));
    return unit >= 0 && unit < static_cast<std::int32_t>(escaped_.size())
           && escaped_.test(static_cast<std::size_t>(unit));
}

}  // namespace livelogd::filter
