// SPDX-License-Identifier: MIT
#include "daemon/ingest/progress.hpp"

#include <algorithm>

namespace livelogd::ingest {

void progress::written(protocol::record_id end_id) {
    const std::lock_guard lock(mutex_);
    written_ = std::max(written_, end_id);
    advance();
}

void progress::synced(protocol::record_id end_id) {
    const std::lock_guard lock(mutex_);
    synced_ = std::max(synced_, end_id);
    advance();
}

void progress::hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
}

void progress::release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    advance();
}

void progress::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    wake_those_reached();
}

protocol::record_id progress::reached(protocol::ack_level level) const {
    const std::lock_guard lock(mutex_);
    return level == protocol::ack_level::durable ? told_synced_ : told_written_;
}

bool progress::closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
}

void progress::advance() {
    if (held_) return;
    told_written_ = written_;
    told_synced_ = synced_;
    wake_those_reached();
}

void progress::wake_those_reached() {
    std::erase_if(waiting_, [this](watch* one) {
        if (!closed_ && told(one->level_) < one->end_id_) return false;
        one->wake_();
        return true;
    });
}

progress::watch::~watch() {
    const std::lock_guard lock(of_.mutex_);
    of_.waiting_.erase(this);
}

bool progress::watch::await(protocol::ack_level level, protocol::record_id end_id) {
    const std::lock_guard lock(of_.mutex_);
    if (of_.told(level) >= end_id) {
        of_.waiting_.erase(this);
        return true;
    }
    level_ = level;
    end_id_ = end_id;
    if (!of_.closed_) of_.waiting_.insert(this);
    return false;
}

}  // namespace livelogd::ingest
