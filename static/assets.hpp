// SPDX-License-Identifier: MIT
// The viewer's files, inside the program.
#pragma once

#include <span>
#include <string_view>

namespace livelogd::assets {

struct asset {
    std::string_view name;          ///< file name, such as "viewer.js"
    std::string_view content_type;  ///< with charset
    std::string_view bytes;         ///< as they are
    std::string_view gzip;          ///< the same, gzip-compressed
};

/// All files; index.html among them. They live as long as the program.
std::span<const asset> all();

}  // namespace livelogd::assets
