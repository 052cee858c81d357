// SPDX-License-Identifier: MIT
// Zstandard frames, one at a time. The only place that knows the library; without it nothing is compressed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace livelogd::storage {

/// Whether this program has been built with the library (-DLIVELOGD_ZSTD=ON). Without it nothing else here
/// may be called.
bool zstd_is_built_in();

/// Makes frames that any tool decompresses: each tells the size of its contents, and has a checksum of them.
/// One thread at a time.
class frame_compressor {
  public:
    frame_compressor();
    ~frame_compressor();
    frame_compressor(const frame_compressor&) = delete;
    frame_compressor& operator=(const frame_compressor&) = delete;

    /// The frame ends with the next call. Throws std::runtime_error if the library fails, and if what it has
    /// made does not decompress to the same bytes: originals are removed on the word of this.
    std::string_view compress(std::string_view bytes);

  private:
    struct state;
    std::unique_ptr<state> state_;
};

/// Fills `size` bytes from a frame. False if it is damaged, or holds another number of bytes. Any thread.
bool decompress_frame(std::string_view frame, char* to, std::size_t size);

}  // namespace livelogd::storage
