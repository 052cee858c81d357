// SPDX-License-Identifier: MIT
// Files that are part of the program: the viewer's, and what a file is elsewhere (see static/embed.cmake).
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

/// All files of the viewer; index.html among them. They live as long as the program.
std::span<const asset> all();

}  // namespace livelogd::assets
