// SPDX-License-Identifier: MIT
#include "daemon/live/shared_matches.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace livelogd::live {
namespace {

/// Results kept: a few for each of some dozen filters. Streams that have the same one ask at nearly the same
/// time.
constexpr std::size_t most_entries = 512;

}  // namespace

batch_matches shared_matches::find(const std::string& filter, const shared_batch& batch) {
    const std::lock_guard lock(mutex_);
    const auto known = find_entry(filter, batch);
    return known == entries_.end() ? nullptr : known->found;
}

void shared_matches::keep(const std::string& filter, const shared_batch& batch, batch_matches found) {
    const std::lock_guard lock(mutex_);
    if (find_entry(filter, batch) != entries_.end()) return;
    entries_.push_front({.filter = filter, .batch = batch, .found = std::move(found), .waiters = {}});
    drop_oldest();
}

shared_matches::entries::iterator shared_matches::find_entry(const std::string& filter,
                                                             const shared_batch& batch) {
    return std::ranges::find_if(entries_, [&](const entry& one) {
        // The same object, not merely one at the same address.
        const bool same = !one.batch.owner_before(batch) && !batch.owner_before(one.batch);
        return same && one.filter == filter;
    });
}

void shared_matches::drop_oldest() {
    for (auto it = entries_.end(); entries_.size() > most_entries && it != entries_.begin();) {
        --it;
        if (it->found) it = entries_.erase(it);
    }
}

void shared_matches::start(std::string filter, std::vector<shared_batch> batches, match_function match,
                           net::asio::any_io_executor reader, handler done) {
    auto asked = std::make_shared<question>();
    asked->reader = std::move(reader);
    // Not assigned: in Boost 1.81 a move assignment of this type calls itself without end.
    asked->done.swap(done);
    asked->results.resize(batches.size());
    std::vector<shared_batch> to_do;
    bool complete = false;
    {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < batches.size(); ++i) {
            const auto known = find_entry(filter, batches[i]);
            if (known != entries_.end() && known->found) {
                asked->results[i] = known->found;
                continue;
            }
            ++asked->missing;
            if (known != entries_.end()) {
                known->waiters.push_back({asked, i});
            } else {
                entries_.push_front(
                    {.filter = filter, .batch = batches[i], .found = {}, .waiters = {{asked, i}}});
                to_do.push_back(batches[i]);
            }
        }
        drop_oldest();
        complete = asked->missing == 0;
    }
    if (complete) answer(asked);
    if (to_do.empty()) return;
    net::asio::post(workers_, [this, filter = std::move(filter), batches = std::move(to_do),
                               match = std::move(match)] { work(filter, batches, match); });
}

void shared_matches::work(const std::string& filter, const std::vector<shared_batch>& batches,
                          const match_function& match) {
    for (const shared_batch& batch : batches) {
        batch_matches found;
        try {
            found = std::make_shared<const std::vector<protocol::record_id>>(match(*batch));
        } catch (const std::exception&) {
            // Those who wait are told by the empty result.
        }
        finish(filter, batch, std::move(found));
    }
}

void shared_matches::finish(const std::string& filter, const shared_batch& batch, batch_matches found) {
    std::vector<std::shared_ptr<question>> answered;
    {
        const std::lock_guard lock(mutex_);
        const auto mine = find_entry(filter, batch);
        for (const waiting& one : std::exchange(mine->waiters, {})) {
            one.who->results[one.place] = found;
            if (--one.who->missing == 0) answered.push_back(one.who);
        }
        if (found) {
            mine->found = std::move(found);
        } else {
            entries_.erase(mine);
        }
    }
    for (const auto& one : answered)
        answer(one);
}

void shared_matches::answer(const std::shared_ptr<question>& asked) {
    const auto reader = asked->reader;
    net::asio::post(reader, [asked] { std::move(asked->done)(std::move(asked->results)); });
}

}  // namespace livelogd::live
