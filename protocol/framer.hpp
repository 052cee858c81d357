// SPDX-License-Identifier: MIT
// Cuts a byte stream into lines, however the bytes arrive.
#pragma once

#include "protocol/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace livelogd::protocol {

/// One line of the stream, without its LF and without a CR before it.
struct framed_line {
    enum class state : std::uint8_t {
        whole,      ///< `bytes` is the line
        oversized,  ///< longer than the limit: `bytes` is its beginning, at most max_raw_bytes
        abandoned,  ///< given up before its end (see line_framer::abandon): `bytes` is its beginning
    };
    std::string_view bytes;
    std::uint64_t total_bytes =
        0;  ///< length of the line as far as it was seen, without LF and the CR before it
    state what = state::whole;
};

/// Sans-io line framer of one connection. Holds at most `max_line_bytes` (+1 for a CR) of an unfinished line;
/// of a longer one only its beginning and its length. Lines that are empty or hold only blanks are left out.
class line_framer {
  public:
    explicit line_framer(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

    /// Calls sink(const framed_line&) for each line that `chunk` completes. The views end with the call.
    template <class Sink>
    void feed(std::string_view chunk, Sink&& sink) {
        while (!chunk.empty()) {
            const auto* newline = static_cast<const char*>(std::memchr(chunk.data(), '\n', chunk.size()));
            if (newline == nullptr) {
                hold(chunk);
                return;
            }
            const auto size = static_cast<std::size_t>(newline - chunk.data());
            const std::string_view last_part = chunk.substr(0, size);
            chunk.remove_prefix(size + 1);
            framed_line line;
            if (!skipping_ && held_.empty()) {
                if (lies_whole(last_part, line)) sink(line);
                continue;
            }
            if (complete(last_part, line)) sink(line);
            reset();
        }
    }

    /// The stream has ended: a last line without LF counts as one.
    template <class Sink>
    void finish(Sink&& sink) {
        if (framed_line line; complete({}, line)) sink(line);
        reset();
    }

    /// Gives the unfinished line up, if there is one: the sink is told of its beginning, its memory is freed,
    /// and the rest of it, up to its LF, is skipped.
    template <class Sink>
    void abandon(Sink&& sink) {
        if (framed_line line; give_up(line)) sink(line);
        release_abandoned();
    }

    /// Bytes of the unfinished line that are held in memory.
    [[nodiscard]] std::size_t held_bytes() const { return held_.size(); }

    /// Whether an unfinished line is waited for (one that is skipped does not count).
    [[nodiscard]] bool has_partial_line() const { return !held_.empty() && !skipping_; }

  private:
    void hold(std::string_view part);
    bool lies_whole(std::string_view bytes, framed_line& line) const;
    bool complete(std::string_view last_part, framed_line& line);
    bool give_up(framed_line& line);
    void release_abandoned();
    void reset();

    std::size_t max_line_bytes_;
    std::string held_;              ///< the unfinished line, or the beginning of an oversized one
    std::uint64_t seen_bytes_ = 0;  ///< length of the unfinished line so far, held or not
    bool skipping_ = false;         ///< over the limit, or abandoned: nothing more is held until the LF
    bool abandoned_ = false;        ///< already told: its end is not told again
    bool last_was_cr_ = false;      ///< the last byte seen of a line that is being skipped
};

}  // namespace livelogd::protocol
