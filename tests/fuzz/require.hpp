// SPDX-License-Identifier: MIT
// How a fuzz target says that something is wrong: libFuzzer then writes the input to a file.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace livelogd::fuzz {

inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

}  // namespace livelogd::fuzz
