// SPDX-License-Identifier: MIT
// What a reader says about the records wanted, before any of it is understood.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::filter {

/// Values as given, in the order given; of several of one parameter either may fit.
struct filter_words {
    std::vector<std::string> type = {};
    std::vector<std::string> level = {};
    std::vector<std::string> endpoint = {};
    std::vector<std::string> method = {};
    std::vector<std::string> request_id = {};
    std::vector<std::string> model = {};
    std::vector<std::string> status = {};
    std::vector<std::string> search = {};
    std::vector<std::string> since = {};
    std::vector<std::string> until = {};
    std::vector<std::string> q = {};

    bool operator==(const filter_words&) const = default;
};

/// The names of these parameters, as in HTTP.
std::span<const std::string_view> filter_parameters();

/// The values of one of these parameters; `name` must be one of filter_parameters().
std::vector<std::string>& values_of(filter_words& words, std::string_view name);
const std::vector<std::string>& values_of(const filter_words& words, std::string_view name);

}  // namespace livelogd::filter
