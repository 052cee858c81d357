// SPDX-License-Identifier: MIT
#include "protocol/malformed.hpp"

#include "protocol/limits.hpp"
#include "protocol/text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>

#include <algorithm>

namespace livelogd::protocol {
namespace {

void append_string_member(std::string& out, std::string_view key, std::string_view value) {
    out += ",\"";
    out += key;
    out += "\":";
    out += boost::json::serialize(boost::json::string_view(value.data(), value.size()));
}

/// `bytes` without a character that is cut off at its end.
std::string_view without_cut_character(std::string_view bytes) {
    // A character has at most four bytes: only the last three can be the beginning of a longer one.
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
        if (next_utf8(bytes.substr(bytes.size() - back)).truncated)
            return bytes.substr(0, bytes.size() - back);
    }
    return bytes;
}

/// What was wrong, without the word of the line that it may quote.
std::string without_quoted_word(std::string_view message) {
    constexpr std::string_view quoting = "unexpected word '";
    std::string text(message);
    if (!text.starts_with(quoting)) return text;
    const std::size_t quote = quoting.size() - 1;
    const std::size_t end = text.find('\'', quote + 1);
    if (end == std::string::npos) return text;
    return text.erase(quote - 1, end + 1 - (quote - 1));
}

/// Whether nothing of a line may be shown. Counted as what is seen first.
bool must_be_withheld(std::string_view line, bool cut, const redaction_keys& keys,
                      const content_rules& content) {
    redaction_counts uncounted{};
    redaction_counts& counts = content.counts != nullptr ? *content.counts : uncounted;
    if (keys.mentioned_in(line)) {
        ++counts[redacted_by_key];
        return true;
    }
    return content.secrets != nullptr && secret_redactor().shows_secret(line, cut, *content.secrets, counts);
}

}  // namespace

std::string to_valid_utf8(std::string_view bytes, std::size_t limit) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    std::string text;
    text.reserve(std::min(bytes.size(), limit));
    while (!bytes.empty()) {
        const utf8_step step = next_utf8(bytes);
        const std::string_view character = step.valid ? bytes.substr(0, step.size) : replacement;
        if (text.size() + character.size() > limit) break;
        text += character;
        bytes.remove_prefix(step.size);
    }
    return text;
}

std::string make_malformed_record(std::string_view message, std::string_view line, std::uint64_t line_bytes,
                                  const redaction_keys& keys, std::string_view timestamp,
                                  const content_rules& content) {
    const bool cut = line.size() < line_bytes;
    const std::string quoted = to_valid_utf8(cut ? without_cut_character(line) : line, max_raw_bytes);
    // Looked at as it would be quoted too: what replaces a byte makes a value longer.
    const bool withheld =
        must_be_withheld(line, cut, keys, content) || must_be_withheld(quoted, false, keys, content);
    std::string record = "{\"timestamp\":\"";
    record += timestamp;
    record += "\",\"level\":\"WARNING\"";
    const std::string told = withheld ? without_quoted_word(message) : std::string(message);
    append_string_member(record, "message", to_valid_utf8(told, max_raw_bytes));
    record += ",\"module\":\"livelogd\",\"type\":\"malformed\"";
    if (withheld) {
        record += ",\"raw\":\"\",\"raw_withheld\":true";
    } else {
        append_string_member(record, "raw", quoted);
    }
    record += ",\"raw_bytes\":";
    record += std::to_string(line_bytes);
    record += '}';
    return record;
}

}  // namespace livelogd::protocol
