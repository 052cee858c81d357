// SPDX-License-Identifier: MIT
// Why a request is not let in, as it is counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace livelogd::http {

enum class refusal : std::uint8_t {
    host,         ///< it names a host that is not the daemon's
    cross_site,   ///< a page of another site
    form_origin,  ///< a form that a page of another origin sends
    no_token,     ///< neither a token nor a session
    wrong_token,
    too_many_tries,
};

/// In the order of the values, as labels.
inline constexpr std::array<std::string_view, 6> refusal_names{"host",     "cross_site",  "form_origin",
                                                               "no_token", "wrong_token", "too_many_tries"};

}  // namespace livelogd::http
