// SPDX-License-Identifier: MIT
// The text of a record that is searched.
#pragma once

#include <string>
#include <string_view>

namespace livelogd::filter {

/// `line` with the escapes in its strings decoded; `line` must be valid JSON. The view is of `line` itself if
/// there is no escape in it, else of `buffer`, which is overwritten.
std::string_view decoded_text(std::string_view line, std::string& buffer);

}  // namespace livelogd::filter
