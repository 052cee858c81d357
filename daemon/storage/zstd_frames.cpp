// SPDX-License-Identifier: MIT
#include "daemon/storage/zstd_frames.hpp"

#include <cstring>
#include <stdexcept>
#include <vector>

#ifdef LIVELOGD_ZSTD

#include <zstd.h>

namespace livelogd::storage {
namespace {

/// zstd's own default. On records of an app with a local model level 6 saves another 6 % for four times the
/// work.
constexpr int level = 3;

}  // namespace

bool zstd_is_built_in() {
    return true;
}

struct frame_compressor::state {
    struct release {
        void operator()(ZSTD_CCtx* released) const { ZSTD_freeCCtx(released); }
    };
    std::unique_ptr<ZSTD_CCtx, release> context{ZSTD_createCCtx()};
    std::vector<char> frame;
    std::vector<char> check;
};

frame_compressor::frame_compressor() : state_(std::make_unique<state>()) {
    auto* const context = state_->context.get();
    if (context == nullptr
        || ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) != 0
        || ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)) != 0) {
        throw std::runtime_error("zstd cannot be set up");
    }
}

std::string_view frame_compressor::compress(std::string_view bytes) {
    state& s = *state_;
    s.frame.resize(ZSTD_compressBound(bytes.size()));
    const std::size_t size =
        ZSTD_compress2(s.context.get(), s.frame.data(), s.frame.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(size) != 0) throw std::runtime_error(std::string("zstd: ") + ZSTD_getErrorName(size));
    const std::string_view frame(s.frame.data(), size);
    s.check.resize(bytes.size());
    if (!decompress_frame(frame, s.check.data(), s.check.size())
        || std::memcmp(s.check.data(), bytes.data(), bytes.size()) != 0) {
        throw std::runtime_error("what zstd has compressed is not what it was given");
    }
    return frame;
}

bool decompress_frame(std::string_view frame, char* to, std::size_t size) {
    return ZSTD_decompress(to, size, frame.data(), frame.size()) == size;
}

}  // namespace livelogd::storage

#else

namespace livelogd::storage {

struct frame_compressor::state {};

bool zstd_is_built_in() {
    return false;
}

frame_compressor::frame_compressor() {
    throw std::logic_error("livelogd was built without zstd");
}

std::string_view frame_compressor::compress(std::string_view) {
    throw std::logic_error("livelogd was built without zstd");
}

bool decompress_frame(std::string_view, char*, std::size_t) {
    throw std::logic_error("livelogd was built without zstd");
}

}  // namespace livelogd::storage

#endif

namespace livelogd::storage {

frame_compressor::~frame_compressor() = default;

}  // namespace livelogd::storage
