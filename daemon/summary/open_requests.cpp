// SPDX-License-Identifier: MIT
#include "daemon/summary/open_requests.hpp"

#include <functional>

namespace livelogd::summary {

std::optional<std::uint64_t> age_us(std::optional<std::int64_t> time, std::int64_t now_us) {
    if (!time) return std::nullopt;
    if (*time >= now_us) return 0;
    return static_cast<std::uint64_t>(now_us) - static_cast<std::uint64_t>(*time);
}

open_request& open_requests::add(protocol::record_id id, std::string_view key) {
    if (heads_.empty()) heads_.assign(chains, none);
    std::uint32_t place = 0;
    if (free_.empty()) {
        place = static_cast<std::uint32_t>(slots_.size());
        slots_.emplace_back();
    } else {
        place = free_.back();
        free_.pop_back();
    }
    slot& used = slots_[place];
    used.request.id = id;
    used.request.time.reset();
    used.request.counts = false;
    used.request.key.assign(key);
    used.request.request_id.clear();
    used.request.endpoint.clear();
    used.request.model.clear();
    used.chain = static_cast<std::uint32_t>(std::hash<std::string_view>{}(key) % chains);
    used.next_in_chain = heads_[used.chain];
    heads_[used.chain] = place;
    used.older = newest_;
    used.newer = none;
    (newest_ == none ? oldest_ : slots_[newest_].newer) = place;
    newest_ = place;
    ++size_;
    return used.request;
}

const open_request* open_requests::take(std::string_view key) {
    if (size_ == 0) return nullptr;
    std::uint32_t place = heads_[std::hash<std::string_view>{}(key) % chains];
    while (place != none && slots_[place].request.key != key)
        place = slots_[place].next_in_chain;
    if (place == none) return nullptr;
    leave(place);
    return &slots_[place].request;
}

std::uint64_t open_requests::drop_oldest(std::size_t most) {
    std::uint64_t counted = 0;
    while (size_ > most) {
        if (slots_[oldest_].request.counts) ++counted;
        leave(oldest_);
    }
    return counted;
}

void open_requests::leave(std::uint32_t place) {
    slot& left = slots_[place];
    std::uint32_t* link = &heads_[left.chain];
    while (*link != place)
        link = &slots_[*link].next_in_chain;
    *link = left.next_in_chain;
    (left.older == none ? oldest_ : slots_[left.older].newer) = left.newer;
    (left.newer == none ? newest_ : slots_[left.newer].older) = left.older;
    free_.push_back(place);
    --size_;
}

std::vector<const open_request*> open_requests::in_order() const {
    std::vector<const open_request*> all;
    all.reserve(size_);
    for (std::uint32_t place = oldest_; place != none; place = slots_[place].newer)
        all.push_back(&slots_[place].request);
    return all;
}

}  // namespace livelogd::summary
