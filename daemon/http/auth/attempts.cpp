// SPDX-License-Identifier: MIT
#include "daemon/http/auth/attempts.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace livelogd::http {
namespace {

std::uint64_t whole(base::token_bucket::seconds wait) {
    return static_cast<std::uint64_t>(std::ceil(wait.count()));
}

}  // namespace

std::uint64_t attempts::wait(std::string_view from, time_point now) const {
    const auto found = by_address_.find(std::string(from));
    return found == by_address_.end() ? 0 : whole(found->second.tries.wait(now));
}

std::uint64_t attempts::wait_for_form(std::string_view from, time_point now) const {
    return std::max(wait(from, now), whole(forms_.wait(now)));
}

bool attempts::known_wrong(std::string_view from, const digest& token) const {
    const auto found = by_address_.find(std::string(from));
    if (found == by_address_.end()) return false;
    return std::ranges::any_of(found->second.wrong, [&](const digest& one) { return same(one, token); });
}

void attempts::failed(std::string_view from, const digest& token, bool in_form, time_point now) {
    if (in_form) forms_.take(now);
    auto found = by_address_.find(std::string(from));
    if (found == by_address_.end()) {
        if (by_address_.size() >= most_addresses) make_room(now);
        found = by_address_.emplace(std::string(from), record{}).first;
    }
    auto& its = found->second;
    its.at = now;
    if (known_wrong(from, token)) return;
    its.tries.take(now);
    its.wrong[1] = std::exchange(its.wrong[0], token);
}

void attempts::forget_wrong() {
    for (auto& [address, its] : by_address_)
        its.wrong = {};
}

/// Those whose tries have all come back are as good as never seen; else the one seen longest ago goes.
void attempts::make_room(time_point now) {
    std::erase_if(by_address_, [now](const auto& one) { return one.second.tries.full(now); });
    if (by_address_.size() < most_addresses) return;
    by_address_.erase(
        std::ranges::min_element(by_address_, {}, [](const auto& one) { return one.second.at; }));
}

std::string sender_of(std::string_view address) {
    in6_addr v6{};
    if (::inet_pton(AF_INET6, std::string(address).c_str(), &v6) != 1) return std::string(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        std::array<char, INET_ADDRSTRLEN> text{};
        ::inet_ntop(AF_INET, &v6.s6_addr[12], text.data(), text.size());
        return text.data();
    }
    for (std::size_t i = 8; i < 16; ++i)
        v6.s6_addr[i] = 0;
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET6, &v6, text.data(), text.size());
    return std::string(text.data()) + "/64";
}

}  // namespace livelogd::http
