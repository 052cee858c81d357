// SPDX-License-Identifier: MIT
// The words of an acknowledged connection: what a sender says first, and what it is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace livelogd::protocol {

/// The number of a line, counted from 1 per client. Stays exact in a JavaScript number.
using line_number = std::uint64_t;
inline constexpr line_number max_line_number = (line_number{1} << 53) - 1;

/// A hello is shorter than this, without its LF.
inline constexpr std::size_t max_hello_bytes = 1024;

/// Most bytes of the name of a client.
inline constexpr std::size_t max_client_bytes = 128;

/// Most bytes of a sentence that a sender is told, before JSON's escapes.
inline constexpr std::size_t max_sentence_bytes = 200;

/// When a line is acknowledged.
enum class ack_level : std::uint8_t {
    written,  ///< it survives the daemon's death
    durable,  ///< it survives a power cut
};

/// `{"livelog":1,"ack":"written","client":"…","next":N}`; all but `livelog` may be left out.
struct hello {
    ack_level level = ack_level::written;
    std::string client;               ///< empty: lines are counted for this connection alone
    std::optional<line_number> next;  ///< the number of the line that follows; absent: the one after `have`
};

/// The keys are a hello's, a value is not: why, as a sentence.
struct refused_hello {
    std::string reason;
};

/// What the first line of a connection is. monostate: an ordinary line.
using first_line = std::variant<std::monostate, hello, refused_hello>;

/// `line`: without its LF.
first_line parse_hello(std::string_view line);

// What a sender is told, each appended to `out` as one line with its LF. Sentences are cut to
// max_sentence_bytes, and what is no UTF-8 in them is replaced.

/// `{"have":M}`: lines up to `last` have been taken; the next one is expected.
void append_have(std::string& out, line_number last);
/// `{"ack":N}`: all lines up to `last` are written, or durable.
void append_ack(std::string& out, line_number last);
/// `{"malformed":n,"error":"…"}`: this line was no record.
void append_malformed(std::string& out, line_number line, std::string_view sentence);
/// `{"malformed":n,"more":count}`: so many more were no records, this one the last of them.
void append_more_malformed(std::string& out, line_number last, std::uint64_t count);
/// `{"error":"…"}`: why the connection is closed.
void append_error(std::string& out, std::string_view sentence);

}  // namespace livelogd::protocol
