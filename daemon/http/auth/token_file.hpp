// SPDX-License-Identifier: MIT
// The file that holds the token.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace livelogd::http {

/// The file cannot be used. The text names it, what is wrong, and the cure.
class token_file_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

inline constexpr std::size_t shortest_token = 16;
inline constexpr std::size_t longest_token = 1024;

/// The token in the file at `path`: its one line without white space around it. Throws token_file_error if
/// the file is no regular one, cannot be read, may be read or written by "others", or does not hold a token
/// of 16 to 1024 visible ASCII characters. Does not wait, whatever the file is.
std::string read_token_file(const std::string& path);

/// The token in the text of such a file. Throws token_file_error; `path` is for the message.
std::string token_in(std::string_view text, const std::string& path);

}  // namespace livelogd::http
