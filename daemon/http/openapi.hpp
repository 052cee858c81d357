// SPDX-License-Identifier: MIT
// The description of the API that openapi.json holds.
#pragma once

#include "static/assets.hpp"

#include <span>

namespace livelogd::http {

/// One file, with the version of this program filled in. It lives as long as the program.
std::span<const assets::asset> openapi_files();

}  // namespace livelogd::http
