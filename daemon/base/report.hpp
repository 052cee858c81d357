// SPDX-License-Identifier: MIT
// The daemon's own messages, from wherever they arise to wherever the operator reads them.
#pragma once

#include <functional>
#include <string_view>

namespace livelogd::base {

enum class severity { debug, info, warning, error };

/// Takes one message (a sentence, no line end). Callable from any thread; must not throw.
using report_sink = std::function<void(severity, std::string_view)>;

}  // namespace livelogd::base
