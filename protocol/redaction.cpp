// SPDX-License-Identifier: MIT
#include "protocol/redaction.hpp"

#include "protocol/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace livelogd::protocol {
namespace {

constexpr std::array<std::string_view, 17> defaults{
    "authorization", "proxy-authorization",
    "cookie",        "set-cookie",
    "x-api-key",     "api_key",
    "apikey",        "password",
    "passwd",        "secret",
    "client_secret", "token",
    "access_token",  "refresh_token",
    "id_token",      "private_key",
    "credentials",
};

constexpr char fold(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

/// Whether a folded character belongs to a word.
constexpr bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

std::string folded(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), fold);
    return result;
}

/// Three-way comparison of `key`, folded on the way, with a name that is folded already.
int compare_folded(std::string_view key, std::string_view name) {
    const std::size_t common = std::min(key.size(), name.size());
    for (std::size_t i = 0; i < common; ++i) {
        const auto left = static_cast<unsigned char>(fold(key[i]));
        const auto right = static_cast<unsigned char>(name[i]);
        if (left != right) return left < right ? -1 : 1;
    }
    if (key.size() == name.size()) return 0;
    return key.size() < name.size() ? -1 : 1;
}

/// The characters that fold to `folded`; the same one twice if there is no other.
constexpr std::array<char, 2> spellings_of(char folded) {
    if (folded >= 'a' && folded <= 'z') return {folded, static_cast<char>(folded - 'a' + 'A')};
    return {folded, folded == '_' ? '-' : folded};
}

/// `bytes` folded, with \uXXXX escapes decoded. A backslash before the u is enough: text that is JSON within
/// JSON doubles its backslashes.
std::string folded_and_decoded(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size();) {
        if (bytes[i] == '\\' && i + 1 < bytes.size() && bytes[i + 1] == 'u') {
            if (const auto unit = hex4(bytes.substr(i + 2)); unit >= 0) {
                if (unit < 0x80) {
                    text.push_back(fold(static_cast<char>(unit)));
                } else {
                    append_utf8(text, static_cast<std::uint32_t>(unit));
                }
                i += 6;
                continue;
            }
        }
        text.push_back(fold(bytes[i]));
        ++i;
    }
    return text;
}

}  // namespace

std::span<const std::string_view> default_redact_keys() {
    return defaults;
}

redaction_keys::redaction_keys(std::span<const std::string_view> names) {
    for (const std::string_view name : names)
        add(name);
    finish();
}

redaction_keys::redaction_keys(std::span<const std::string> names) {
    for (const std::string& name : names)
        add(name);
    finish();
}

void redaction_keys::add(std::string_view name) {
    if (!name.empty()) names_.push_back(folded(name));
}

void redaction_keys::finish() {
    std::sort(names_.begin(), names_.end());
    names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
    for (const std::string& name : names_) {
        std::string spelled = name;
        for (const char first : spellings_of(name.front())) {
            for (const char last : spellings_of(name.back())) {
                spelled.front() = first;
                spelled.back() = last;
                any_case_.add(spelled);
            }
        }
    }
}

bool redaction_keys::is_one_of_names(std::string_view key) const {
    const auto found = std::lower_bound(
        names_.begin(), names_.end(), key,
        [](const std::string& name, std::string_view wanted) { return compare_folded(wanted, name) > 0; });
    return found != names_.end() && compare_folded(key, *found) == 0;
}

bool redaction_keys::mentioned_in(std::string_view bytes) const {
    if (names_.empty()) return false;
    const std::string text = folded_and_decoded(bytes);
    const auto names_key = [&](std::string_view word) {
        if (matches(word)) return true;
        // --password=… and the like.
        const auto first = word.find_first_not_of('_');
        if (first == std::string_view::npos) return false;
        return matches(word.substr(first, word.find_last_not_of('_') - first + 1));
    };
    for (std::size_t at = 0; at < text.size();) {
        if (!is_word(text[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && is_word(text[end]))
            ++end;
        const std::string_view word = std::string_view(text).substr(at, end - at);
        if (names_key(word)) return true;
        // "\npassword" may be a word after the escape of a line feed.
        if (at > 0 && text[at - 1] == '\\' && names_key(word.substr(1))) return true;
        at = end;
    }
    // Names that are no words by themselves are looked for anywhere.
    return std::any_of(names_.begin(), names_.end(), [&](const std::string& name) {
        return !std::all_of(name.begin(), name.end(), is_word) && text.find(name) != std::string::npos;
    });
}

}  // namespace livelogd::protocol
