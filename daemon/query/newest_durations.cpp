// SPDX-License-Identifier: MIT
#include "daemon/query/newest_durations.hpp"

#include "daemon/summary/byte_codec.hpp"

#include <algorithm>
#include <utility>

namespace livelogd::query {
namespace {

std::vector<std::string> texts_of(const summary::segment_summary& summary, std::size_t page) {
    const std::string bytes = summary.part(page, summary::page_part::durations);
    summary::byte_reader in(bytes);
    std::vector<std::string> texts;
    while (in.left() > 0)
        texts.emplace_back(in.text());
    return texts;
}

}  // namespace

void newest_durations::add(std::string_view duration) {
    if (most_ == 0) return;
    if (sources_.empty() || sources_.back().summary) sources_.emplace_back();
    source& last = sources_.back();
    last.texts.emplace_back(duration);
    ++last.count;
    ++count_;
    if (last.texts.size() > most_) {
        last.texts.pop_front();
        --last.count;
        --count_;
    }
    let_go();
}

void newest_durations::add(summary::shared_summary pages, std::size_t begin, std::size_t end,
                           std::uint64_t count) {
    if (most_ == 0 || count == 0) return;
    sources_.push_back(
        {.texts = {}, .summary = std::move(pages), .begin = begin, .end = end, .count = count});
    count_ += count;
    let_go();
}

void newest_durations::append(newest_durations&& next) {
    count_ += next.count_;
    auto sources = std::move(next.sources_);
    std::ranges::move(sources, std::back_inserter(sources_));
    let_go();
}

/// What is older than the newest so many.
void newest_durations::let_go() {
    while (!sources_.empty() && count_ - sources_.front().count >= most_) {
        count_ -= sources_.front().count;
        sources_.pop_front();
    }
}

std::vector<std::string> newest_durations::texts() const {
    std::vector<std::string> newest_first;
    const auto take = [&](const auto& texts) {
        for (auto it = texts.rbegin(); it != texts.rend() && newest_first.size() < most_; ++it)
            newest_first.push_back(*it);
    };
    for (auto from = sources_.rbegin(); from != sources_.rend() && newest_first.size() < most_; ++from) {
        take(from->texts);
        for (std::size_t page = from->end; page > from->begin && newest_first.size() < most_; --page)
            take(texts_of(*from->summary, page - 1));
    }
    std::ranges::reverse(newest_first);
    return newest_first;
}

}  // namespace livelogd::query
