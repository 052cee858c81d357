// SPDX-License-Identifier: MIT
#include "daemon/summary/name_counts.hpp"

#include <algorithm>

namespace livelogd::summary {

void name_counts::add(std::string_view name, std::uint64_t times) {
    if (const auto known = counts_.find(name); known != counts_.end()) {
        known->second += times;
    } else if (budget_->take(name.size())) {
        counts_.emplace(name, times);
    } else {
        beyond_ += times;
    }
}

void name_counts::write(byte_writer& out) const {
    out.number(beyond_);
    out.number(counts_.size());
    for (const auto& [name, count] : counts_) {
        out.text(name);
        out.number(count);
    }
}

void name_counts::merge(byte_reader& in) {
    beyond_ += in.number();
    for (auto left = in.number(); left > 0; --left) {
        const auto name = in.text();
        add(name, in.number());
    }
}

void name_counts::merge(const name_counts& other) {
    beyond_ += other.beyond_;
    for (const auto& [name, count] : other.counts_)
        add(name, count);
}

void name_counts::add(const protocol::json_token& value) {
    // The common case needs no string of its own.
    if (value.is_string() && value.inner().find('\\') == std::string_view::npos) {
        add(value.inner());
    } else if (value.is_number()) {
        add(value.text);
    } else if (const auto name = protocol::scalar_name(value)) {
        add(std::string_view(*name));
    }
}

std::vector<name_counts::entry> name_counts::top(std::size_t most) const {
    std::vector<entry> entries;
    entries.reserve(counts_.size() + 1);
    for (const auto& [name, count] : counts_)
        entries.push_back({.name = name, .count = count});
    const auto before = [](const entry& a, const entry& b) {
        return a.count != b.count ? a.count > b.count : a.name < b.name;
    };
    const auto shown = std::min(most, entries.size());
    const auto rest = entries.begin() + static_cast<std::ptrdiff_t>(shown);
    std::partial_sort(entries.begin(), rest, entries.end(), before);
    if (rest == entries.end() && beyond_ == 0) return entries;

    entry other{.name = other_name, .count = beyond_};
    for (auto i = rest; i != entries.end(); ++i)
        other.count += i->count;
    entries.erase(rest, entries.end());
    const auto same_name = [](const entry& e) { return e.name == other_name; };
    if (const auto real = std::find_if(entries.begin(), entries.end(), same_name); real != entries.end()) {
        other.count += real->count;
        entries.erase(real);
    }
    entries.push_back(other);
    return entries;
}

}  // namespace livelogd::summary
