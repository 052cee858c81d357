// SPDX-License-Identifier: MIT
#include "protocol/secret_shapes.hpp"

#include "protocol/secret_forms.hpp"

#include <algorithm>
#include <bit>

namespace livelogd::protocol {

std::optional<secret_rule> secret_rule_of(std::string_view name) {
    const auto found = std::ranges::find(secret_rule_names, name);
    if (found == secret_rule_names.end()) return {};
    return static_cast<secret_rule>(found - secret_rule_names.begin());
}

secret_shapes::secret_shapes(const std::vector<std::string>& except, anchor_path path)
    : finder_(anchor_finder_of(path)) {
    for (const std::string& name : except)
        if (const auto rule = secret_rule_of(name)) enabled_ &= ~(1U << static_cast<unsigned>(*rule));
}

secret_shapes secret_shapes::none() {
    secret_shapes result;
    result.enabled_ = 0;
    return result;
}

std::size_t secret_shapes::first_trace(std::string_view json, std::size_t from) const {
    const char* const begin = json.data();
    const char* const end = begin + json.size();
    std::uint64_t marks = 0;
    for (const char* p = begin + from; (p = finder_(begin, p, end, marks)) != end;
         p += std::min<std::ptrdiff_t>(anchor_block, end - p)) {
        for (; marks != 0; marks &= marks - 1) {
            const auto at =
                static_cast<std::size_t>(p - begin) + static_cast<std::size_t>(std::countr_zero(marks));
            if (may_hold_secret(json, at)) return at;
        }
    }
    return json.size();
}

void secret_shapes::find(std::string_view text, std::vector<secret_span>& spans) const {
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const std::size_t first = spans.size();
    secret_forms forms(text);
    std::uint64_t marks = 0;
    for (const char* p = begin; (p = finder_(begin, p, end, marks)) != end;
         p += std::min<std::ptrdiff_t>(anchor_block, end - p)) {
        for (; marks != 0; marks &= marks - 1) {
            const auto at =
                static_cast<std::size_t>(p - begin) + static_cast<std::size_t>(std::countr_zero(marks));
            const bool within = spans.size() > first && at < spans.back().end;
            if (within) continue;
            const auto found = forms.at_anchor(at);
            if (!found || !enabled(found->rule)) continue;
            // A password may have what looks like a key in it: then it begins before that.
            secret_span whole = *found;
            while (spans.size() > first && whole.begin < spans.back().end) {
                whole.begin = std::min(whole.begin, spans.back().begin);
                whole.end = std::max(whole.end, spans.back().end);
                spans.pop_back();
            }
            spans.push_back(whole);
        }
    }
}

}  // namespace livelogd::protocol
