// SPDX-License-Identifier: MIT
// However the bytes are split, the lines are the same. The first bytes of the input choose the limit and the
// split.
#include "protocol/framer.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace livelogd::protocol;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

struct seen_line {
    std::string bytes;
    std::uint64_t total = 0;
    framed_line::state what = framed_line::state::whole;
    friend bool operator==(const seen_line&, const seen_line&) = default;
};

/// Feeds `stream` in pieces whose sizes `steps` gives in turn; abandons after piece number `abandon_after`.
std::vector<seen_line> framed(std::string_view stream, std::size_t limit, std::string_view steps,
                              std::size_t abandon_after = static_cast<std::size_t>(-1)) {
    line_framer framer(limit);
    std::vector<seen_line> seen;
    const auto sink = [&](const framed_line& line) {
        require(line.what != framed_line::state::whole || line.bytes.size() <= limit,
                "a whole line is in the limit");
        require(line.what == framed_line::state::whole || line.bytes.size() <= max_raw_bytes,
                "beginnings are short");
        require(line.bytes.find('\n') == std::string_view::npos, "no line end in a line");
        require(line.bytes.size() <= line.total_bytes, "no more bytes than were seen");
        seen.push_back({std::string(line.bytes), line.total_bytes, line.what});
    };
    for (std::size_t piece = 0; !stream.empty(); ++piece) {
        const std::size_t wanted =
            steps.empty() ? stream.size() : 1U + static_cast<unsigned char>(steps[piece % steps.size()]);
        const std::size_t size = std::min(wanted, stream.size());
        framer.feed(stream.substr(0, size), sink);
        require(framer.held_bytes() <= std::max(limit + 1, max_raw_bytes), "memory is bounded");
        if (piece == abandon_after) framer.abandon(sink);
        stream.remove_prefix(size);
    }
    framer.finish(sink);
    require(framer.held_bytes() == 0 && !framer.has_partial_line(), "nothing is left at the end");
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 8) return 0;
    const std::string input(reinterpret_cast<const char*>(data), size);
    const std::string_view bytes = input;
    const std::size_t limit = 1U + data[0] + (data[1] % 32U) * 256U;
    const std::string_view steps = bytes.substr(2, 4);
    // Repeating what is there makes lines longer than the fuzzer would.
    std::string stream;
    for (unsigned i = 0; i <= data[6] % 64U; ++i)
        stream += bytes.substr(7);

    const auto at_once = framed(stream, limit, {});
    require(framed(stream, limit, steps) == at_once, "the split does not matter");
    require(framed(stream, limit, std::string_view("\0", 1)) == at_once, "one byte at a time");
    framed(stream, limit, steps, data[7] % 16U);
    return 0;
}
