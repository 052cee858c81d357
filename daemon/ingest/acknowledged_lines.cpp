// SPDX-License-Identifier: MIT
#include "daemon/ingest/acknowledged_lines.hpp"

#include "protocol/malformed.hpp"

#include <algorithm>
#include <utility>

namespace livelogd::ingest {

acknowledged_lines::acknowledged_lines(const protocol::hello& greeting, client_ledger& clients)
    : client_(clients, greeting.client) {
    begin_turn();
    const auto next = greeting.next.value_or(have_ + 1);
    if (next > have_ + 1) {
        refuse("the lines before " + std::to_string(next) + " are not known here, only those up to "
               + std::to_string(have_) + R"(: say hello without "next", then go on after "have")");
        return;
    }
    client_.lines().require(greeting.level);
    line_ = next - 1;
    known_ = have_;
    greeted_with_ = have_;
    tell_have_ = true;
}

void acknowledged_lines::begin_turn() {
    turn_ = client_.lines().lock();
    have_ = client_.lines().have();
}

void acknowledged_lines::malformed(std::string_view error) {
    if (notices_.size() < most_notices && more_notices_ == 0) {
        notices_.push_back({line_, protocol::to_valid_utf8(error, protocol::max_sentence_bytes)});
        return;
    }
    ++more_notices_;
    last_notice_ = line_;
}

void acknowledged_lines::end_turn(std::optional<protocol::record_id> end_id) {
    client_.lines().took(have_, end_id);
    known_ = std::max(known_, line_);
    turn_.unlock();
}

void acknowledged_lines::abort_turn() {
    if (turn_.owns_lock()) turn_.unlock();
}

void acknowledged_lines::refuse(std::string reason) {
    refused_ = true;
    tell_have_ = false;
    reason_ = std::move(reason);
}

void acknowledged_lines::compose(const progress& log, std::string& out) {
    if (std::exchange(tell_have_, false)) protocol::append_have(out, greeted_with_);
    compose_notices(out);
    {
        auto& lines = client_.lines();
        const auto lock = lines.lock();
        const auto last = std::min(lines.acknowledged(log.reached(lines.level())), known_);
        if (last > told_) protocol::append_ack(out, told_ = last);
    }
    if (!reason_.empty()) protocol::append_error(out, std::exchange(reason_, {}));
}

void acknowledged_lines::compose_notices(std::string& out) {
    for (const auto& one : notices_)
        protocol::append_malformed(out, one.line, one.error);
    notices_.clear();
    if (more_notices_ > 0)
        protocol::append_more_malformed(out, last_notice_, std::exchange(more_notices_, 0));
}

bool acknowledged_lines::await(progress::watch& watch) {
    auto& lines = client_.lines();
    const auto lock = lines.lock();
    const auto end_id = lines.awaited();
    return !end_id || !watch.await(lines.level(), *end_id);
}

}  // namespace livelogd::ingest
