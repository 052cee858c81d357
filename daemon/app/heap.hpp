// SPDX-License-Identifier: MIT
// How the process gets and keeps its memory.
#pragma once

#include <cstddef>

namespace livelogd::app {

/// Sets the allocator up for batches of records: some hundred KiB each, made and freed all the time, by
/// different threads. `most`: what they may take together, bytes; so much is reserved, and none of it used.
/// To be called once, before there is another thread. Without effect where the allocator is not glibc's.
void prepare_heap(std::size_t most);

}  // namespace livelogd::app
