// SPDX-License-Identifier: MIT
//
// Most places of a text are ruled out eight at a time, by two bytes of what is wanted. The places that are
// left are compared byte by byte. That is quick for texts as they are, but a text can be made for which it is
// not; so the bytes compared are counted, and when they are too many, an algorithm without such texts takes
// over.
#include "daemon/filter/text_search.hpp"

#include "daemon/filter/byte_rarity.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace livelogd::filter {
namespace {

constexpr std::size_t word_size = 8;
constexpr std::uint64_t ones = 0x0101010101010101;
constexpr std::uint64_t high_bits = 0x8080808080808080;
constexpr char case_bit = 0x20;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | case_bit) : c;
}

/// Marks the high bit of each byte that is zero; above the first such byte there may be false marks.
std::uint64_t zero_bytes(std::uint64_t word) {
    return (word - ones) & ~word & high_bits;
}

std::uint64_t load(const char* p) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

}  // namespace

text_search::text_search(std::string_view wanted) : wanted_(wanted) {
    std::ranges::transform(wanted_, wanted_.begin(), lower);
    if (wanted_.empty()) return;

    std::size_t rarest = 0;
    for (std::size_t i = 1; i < wanted_.size(); ++i)
        if (commonness(wanted_[i]) < commonness(wanted_[rarest])) rarest = i;
    std::size_t second = rarest == 0 ? wanted_.size() - 1 : 0;
    for (std::size_t i = 0; i < wanted_.size(); ++i)
        if (i != rarest && commonness(wanted_[i]) < commonness(wanted_[second])) second = i;
    probes_ = {probe_at(rarest), probe_at(second)};

    // fallbacks_[n]: of the first n + 1 bytes, how many at the end are the same as at the beginning.
    fallbacks_.resize(wanted_.size());
    std::uint32_t alike = 0;
    for (std::size_t i = 1; i < wanted_.size(); ++i) {
        while (alike != 0 && wanted_[i] != wanted_[alike])
            alike = fallbacks_[alike - 1];
        if (wanted_[i] == wanted_[alike]) ++alike;
        fallbacks_[i] = alike;
    }
}

text_search::probe text_search::probe_at(std::size_t at) const {
    const char c = wanted_[at];
    const bool letter = c >= 'a' && c <= 'z';
    return {.at = at,
            .bits = letter ? ones * static_cast<std::uint64_t>(case_bit) : 0,
            .value = ones * static_cast<unsigned char>(c)};
}

/// How many bytes of what is wanted are found at `text`, from the first one on.
std::size_t text_search::alike_at(const char* text) const {
    std::size_t i = 0;
    while (i < wanted_.size() && lower(text[i]) == wanted_[i])
        ++i;
    return i;
}

bool text_search::occurs_in(std::string_view text) const {
    if (wanted_.empty()) return true;
    if (text.size() < wanted_.size()) return false;
    const std::size_t last = text.size() - wanted_.size();
    const std::size_t reach = std::max(probes_[0].at, probes_[1].at) + word_size;
    std::size_t compared = 0;
    const auto too_many = [&](std::size_t place) { return compared > 4 * place + 4096; };

    std::size_t place = 0;
    for (; place <= last && place + reach <= text.size(); place += word_size) {
        std::uint64_t found = high_bits;
        for (const probe& p : probes_)
            found &= zero_bytes((load(text.data() + place + p.at) | p.bits) ^ p.value);
        for (; found != 0; found &= found - 1) {
            const std::size_t here = place + static_cast<std::size_t>(std::countr_zero(found)) / 8;
            if (here > last) return false;
            const std::size_t alike = alike_at(text.data() + here);
            if (alike == wanted_.size()) return true;
            compared += alike;
            if (too_many(here)) return occurs_steadily(text.substr(here + 1));
        }
    }
    for (; place <= last; ++place) {
        const std::size_t alike = alike_at(text.data() + place);
        if (alike == wanted_.size()) return true;
        compared += alike;
        if (too_many(place)) return occurs_steadily(text.substr(place + 1));
    }
    return false;
}

/// Looks at every byte of the text once (Knuth, Morris, Pratt).
bool text_search::occurs_steadily(std::string_view text) const {
    std::size_t alike = 0;
    for (const char raw : text) {
        const char c = lower(raw);
        while (alike != 0 && c != wanted_[alike])
            alike = fallbacks_[alike - 1];
        if (c == wanted_[alike]) ++alike;
        if (alike == wanted_.size()) return true;
    }
    return false;
}

}  // namespace livelogd::filter
