// SPDX-License-Identifier: MIT
// What of a secret is kept, how two are compared, and where new ones come from. The only place of this
// room that knows OpenSSL.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace livelogd::http {

using digest = std::array<unsigned char, 32>;

/// HMAC-SHA-256 under a key that is drawn when it is made: what it gives means nothing outside this process,
/// so that neither a memory dump nor the time that a comparison takes tells about the secret. Any thread.
class digester {
  public:
    /// Throws std::runtime_error if the system has no randomness to give.
    digester();
    [[nodiscard]] digest operator()(std::string_view secret) const;

  private:
    digest key_{};
};

/// Takes the same time wherever they differ. Digests are compared, never secrets: comparing those, even in
/// constant time, would tell their length (the "double HMAC" of https://paragonie.com/blog/2015/11/
/// preventing-timing-attacks-on-string-comparison-with-double-hmac-strategy).
bool same(const digest& a, const digest& b);

/// 256 bits from the system (getrandom), as 43 characters that a cookie may hold.
std::string random_name();

}  // namespace livelogd::http
