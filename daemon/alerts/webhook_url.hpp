// SPDX-License-Identifier: MIT
// Where a webhook is.
#pragma once

#include <string>
#include <string_view>

namespace livelogd::alerts {

/// An http or https URL, taken apart.
struct webhook_url {
    bool tls = false;
    std::string host;    ///< a name, or a numeric address without brackets
    std::string port;    ///< digits: the one given, else 80 or 443
    std::string target;  ///< path and query, as they go into the request

    /// Throws std::invalid_argument with what would be right. Credentials within the URL are refused: they
    /// would have to become a header.
    static webhook_url parse(std::string_view text);

    /// What may be told to anybody: scheme, host and port. Paths of webhooks are often secrets.
    [[nodiscard]] std::string origin() const;

    /// As the header Host has it.
    [[nodiscard]] std::string host_header() const;
};

}  // namespace livelogd::alerts
