// SPDX-License-Identifier: MIT
#include "protocol/secret_redaction.hpp"

#include "protocol/json_walk.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace livelogd::protocol {
namespace {

/// Longer buffers are not worth the memory after their record.
constexpr std::size_t kept_capacity = std::size_t{64} * 1024;

/// Bytes of the escape that `text` begins with; 1 if it is only a backslash. A pair of surrogates is one.
std::size_t escape_size(std::string_view text) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    if (text.size() < 2) return 1;
    if (letters.find(text[1]) != std::string_view::npos) return 2;
    constexpr std::size_t unit = 6;
    if (text[1] != 'u') return 1;
    const std::int32_t code = hex4(text.substr(2));
    if (code < 0) return 1;
    const bool high = code >= 0xD800 && code <= 0xDBFF;
    if (!high || text.size() < 2 * unit || text.substr(unit, 2) != "\\u") return unit;
    const std::int32_t low = hex4(text.substr(unit + 2));
    return low >= 0xDC00 && low <= 0xDFFF ? 2 * unit : unit;
}

/// Joins spans that overlap, the first one's rule for all.
void merge(std::vector<secret_span>& spans) {
    std::ranges::sort(spans, {}, &secret_span::begin);
    std::size_t kept = 0;
    for (const secret_span& one : spans) {
        if (kept > 0 && one.begin < spans[kept - 1].end) {
            spans[kept - 1].end = std::max(spans[kept - 1].end, one.end);
        } else {
            spans[kept++] = one;
        }
    }
    spans.resize(kept);
}

}  // namespace

/// What is no escape stays as it is: the text may be anything.
void secret_redactor::decoding::read(std::string_view spelled) {
    text.clear();
    escapes.clear();
    for (std::size_t at = 0; at < spelled.size();) {
        const std::size_t escape = std::min(spelled.find('\\', at), spelled.size());
        text.append(spelled, at, escape - at);
        if (escape == spelled.size()) return;
        const std::string_view rest = spelled.substr(escape);
        const std::size_t size = escape_size(rest);
        if (size == 1) {
            text += '\\';
        } else {
            append_unescaped(text, rest.substr(0, size));
        }
        at = escape + size;
        escapes.push_back({.decoded = text.size(), .spelled = at});
    }
}

std::size_t secret_redactor::decoding::spelled_offset(std::size_t decoded) const {
    const auto behind = std::ranges::upper_bound(escapes, decoded, {}, &escape_end::decoded);
    if (behind == escapes.begin()) return decoded;
    return behind[-1].spelled + (decoded - behind[-1].decoded);
}

void secret_redactor::find_in_string(std::string_view inner, const secret_shapes& shapes) {
    spans_.clear();
    if (inner.find('\\') == std::string_view::npos) return shapes.find(inner, spans_);
    once_.read(inner);
    shapes.find(once_.text, spans_);
    const std::size_t outer = spans_.size();
    if (once_.text.find('\\') != std::string::npos) {
        twice_.read(once_.text);
        shapes.find(twice_.text, spans_);
        for (std::size_t i = outer; i < spans_.size(); ++i) {
            spans_[i].begin = twice_.spelled_offset(spans_[i].begin);
            spans_[i].end = twice_.spelled_offset(spans_[i].end);
        }
    }
    for (secret_span& one : spans_) {
        one.begin = once_.spelled_offset(one.begin);
        one.end = once_.spelled_offset(one.end);
    }
    if (outer != spans_.size()) merge(spans_);
}

std::string_view secret_redactor::redact_from(std::size_t trace, std::string_view record,
                                              const secret_shapes& shapes, redaction_counts& counts) {
    const char* const end = record.data() + record.size();
    const char* run = record.data();      // from here on bytes are still to be copied
    const char* outside = record.data();  // between strings
    out_.clear();
    for (; trace < record.size();
         trace = shapes.first_trace(record, static_cast<std::size_t>(outside - record.data()))) {
        // A trace is in a string: numbers and literals have none of the characters together.
        const char* const place = record.data() + trace;
        const char* opening = nullptr;
        bool escaped = false;
        do {
            opening =
                static_cast<const char*>(std::memchr(outside, '"', static_cast<std::size_t>(end - outside)));
            if (opening == nullptr) break;
            outside = after_json_string(opening, end, escaped);
        } while (outside <= place);
        if (opening == nullptr) break;
        const char* const inner = opening + 1;
        find_in_string(std::string_view(inner, static_cast<std::size_t>(outside - 1 - inner)), shapes);
        for (const secret_span& one : spans_) {
            out_.append(run, inner + one.begin).append(redacted_text);
            run = inner + one.end;
            ++counts[static_cast<std::size_t>(one.rule)];
        }
    }
    if (run == record.data()) return record;
    out_.append(run, end);
    return out_;
}

bool secret_redactor::shows_secret(std::string_view line, bool cut, const secret_shapes& shapes,
                                   redaction_counts& counts) {
    if (!shapes.any()) return false;
    std::string text(line);
    // With more behind it a secret that was cut can be recognised.
    constexpr std::size_t longest_needed = 96;
    if (cut) text.append(longest_needed, '2').append("@2");
    used_ = true;
    spans_.clear();
    shapes.find(text, spans_);
    if (spans_.empty() && text.find('\\') != std::string::npos) {
        find_in_string(text, shapes);
    }
    if (spans_.empty()) return false;
    for (const secret_span& one : spans_)
        ++counts[static_cast<std::size_t>(one.rule)];
    return true;
}

void secret_redactor::shrink() {
    const auto release = [](auto& buffer, std::size_t unit) {
        if (buffer.capacity() * unit > kept_capacity)
            std::remove_reference_t<decltype(buffer)>().swap(buffer);
    };
    release(out_, 1);
    for (decoding* one : {&once_, &twice_}) {
        release(one->text, 1);
        release(one->escapes, sizeof(escape_end));
    }
    release(spans_, sizeof(secret_span));
}

}  // namespace livelogd::protocol
