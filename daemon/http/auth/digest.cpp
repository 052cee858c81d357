// SPDX-License-Identifier: MIT
#include "daemon/http/auth/digest.hpp"

#include "daemon/base/errno_text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace livelogd::http {
namespace {

/// At most 256 bytes. Waits only as long as the system has no randomness at all, right after its start.
template <class Bytes>
void fill_randomly(Bytes& bytes) {
    if (::getentropy(bytes.data(), bytes.size()) != 0)
        throw std::runtime_error("there is no randomness: " + base::errno_text(errno));
}

}  // namespace

digester::digester() {
    fill_randomly(key_);
}

digest digester::operator()(std::string_view secret) const {
    digest made{};
    const auto* const done =
        ::HMAC(::EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
               reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), made.data(), nullptr);
    if (done == nullptr) throw std::runtime_error("OpenSSL cannot make a digest");
    return made;
}

bool same(const digest& a, const digest& b) {
    return ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_name() {
    std::array<unsigned char, 32> bits{};
    fill_randomly(bits);
    // 32 bytes are 43 characters, one '=' and the terminating zero.
    std::array<unsigned char, 45> text{};
    const int size = ::EVP_EncodeBlock(text.data(), bits.data(), static_cast<int>(bits.size()));
    std::string name(text.begin(), text.begin() + size - 1);
    std::ranges::replace(name, '+', '-');
    std::ranges::replace(name, '/', '_');
    return name;
}

}  // namespace livelogd::http
