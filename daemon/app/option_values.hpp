// SPDX-License-Identifier: MIT
// Values of options, from text and as TOML.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::app {

// Each reader throws std::invalid_argument with what would be right.

std::uint64_t read_number(std::string_view text, std::uint64_t least, std::uint64_t most);
bool read_boolean(std::string_view text);
/// Bytes: `1048576`, `64KiB`, `10 MiB`, `1GiB` (powers of 1024), `10MB` (powers of 1000).
std::uint64_t read_size(std::string_view text, std::uint64_t least,
                        std::uint64_t most = std::uint64_t{1} << 50);
/// `500ms`, `1s`, `10min` (or `10m`), `2h`, `30d`; a bare number is seconds.
std::chrono::milliseconds read_duration(std::string_view text, std::chrono::milliseconds least);
/// Octal permissions: `0660`.
std::uint64_t read_mode(std::string_view text);

/// For messages: `'a', 'b'`.
std::string quote_all(const std::vector<std::string>& values);

std::string show_text(std::string_view text);  ///< a TOML string
std::string show_list(const std::vector<std::string>& values);
std::string show_size(std::uint64_t bytes);  ///< in the largest unit that is exact
std::string show_duration(std::chrono::milliseconds time);
std::string show_mode(std::uint64_t mode);

}  // namespace livelogd::app
