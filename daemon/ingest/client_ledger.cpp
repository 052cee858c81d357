// SPDX-License-Identifier: MIT
#include "daemon/ingest/client_ledger.hpp"

#include <utility>

namespace livelogd::ingest {

void client_lines::took(protocol::line_number last, std::optional<protocol::record_id> end_id) {
    if (last <= have_) return;
    have_ = last;
    if (!end_id) {
        // Without records there is nothing to wait for but the lines before them.
        if (!pending_.empty()) {
            pending_.back().line = last;
        } else {
            acknowledged_ = last;
        }
        return;
    }
    end_id_ = *end_id;
    pending_.push_back({last, *end_id});
    if (pending_.size() > most_pending) merge_neighbours();
}

void client_lines::require(protocol::ack_level level) {
    if (level <= level_) return;
    level_ = level;
    // What is known of single lines has been thrown away as they were written: they are asked for together.
    fold();
}

void client_lines::fold() {
    pending_.clear();
    pending_.shrink_to_fit();
    acknowledged_ = 0;
    if (have_ > 0) pending_.push_back({have_, end_id_});
}

void client_lines::shrink() {
    fold();
}

void client_lines::merge_neighbours() {
    std::size_t kept = 0;
    // The later one of each pair stands for both; the newest stands for itself.
    for (std::size_t i = 1; i < pending_.size(); i += 2)
        pending_[kept++] = pending_[i];
    if (pending_.size() % 2 == 1) pending_[kept++] = pending_.back();
    pending_.resize(kept);
}

protocol::line_number client_lines::acknowledged(protocol::record_id reached) {
    while (!pending_.empty() && pending_.front().end_id <= reached) {
        acknowledged_ = pending_.front().line;
        pending_.pop_front();
    }
    return acknowledged_;
}

std::optional<protocol::record_id> client_lines::awaited() const {
    if (pending_.empty()) return std::nullopt;
    return pending_.front().end_id;
}

client_ledger::membership::membership(client_ledger& ledger, const std::string& name)
    : ledger_(ledger),
      name_(name),
      lines_(name.empty() ? std::make_shared<client_lines>() : ledger.join(name)) {}

client_ledger::membership::~membership() {
    if (!name_.empty()) ledger_.leave(name_);
}

std::size_t client_ledger::size() const {
    const std::lock_guard lock(mutex_);
    return clients_.size();
}

std::shared_ptr<client_lines> client_ledger::join(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = clients_.try_emplace(name);
    entry& client = place->second;
    if (is_new) {
        client.lines = std::make_shared<client_lines>();
    } else if (client.connections == 0) {
        absent_.erase(client.place);
    }
    ++client.connections;
    return client.lines;
}

void client_ledger::leave(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto place = clients_.find(name);
    entry& client = place->second;
    if (--client.connections > 0) return;
    bool known = false;
    {
        const auto turn = client.lines->lock();
        client.lines->shrink();
        known = client.lines->have() > 0;
    }
    // One that has sent nothing is no different from one that has never come.
    if (!known) {
        clients_.erase(place);
        return;
    }
    client.place = absent_.insert(absent_.end(), name);
    if (absent_.size() > most_absent_) {
        clients_.erase(absent_.front());
        absent_.pop_front();
    }
}

}  // namespace livelogd::ingest
