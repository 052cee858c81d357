// SPDX-License-Identifier: MIT
#include "protocol/secret_forms.hpp"

#include "protocol/secret_text.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>

namespace livelogd::protocol {

using namespace secret_text;

namespace {

/// The longest run of letters and digits, up to `enough`.
bool has_long_run(std::string_view text, std::uint8_t of, std::size_t enough) {
    std::size_t run = 0;
    return std::ranges::any_of(text, [&](char c) {
        run = is(c, of) ? run + 1 : 0;
        return run >= enough;
    });
}

/// The bytes that base64 stands for, or nothing if it is none.
std::optional<std::string> base64_decoded(std::string_view text) {
    while (text.ends_with('='))
        text.remove_suffix(1);
    if (text.size() % 4 == 1 || text.find('=') != std::string_view::npos) return {};
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        std::uint32_t value = 0;
        if (is(c, upper)) {
            value = static_cast<std::uint32_t>(c - 'A');
        } else if (is(c, lower)) {
            value = static_cast<std::uint32_t>(c - 'a') + 26;
        } else if (is(c, digit)) {
            value = static_cast<std::uint32_t>(c - '0') + 52;
        } else {
            value = c == '+' ? 62 : 63;
        }
        bits = bits << 6 | value;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes += static_cast<char>(bits >> count & 0xFF);
    }
    return bytes;
}

/// "user:password", as RFC 7617 puts it into base64.
bool is_user_and_password(std::string_view bytes) {
    return bytes.find(':') != std::string_view::npos && valid_utf8_prefix(bytes) == bytes.size()
           && std::ranges::none_of(bytes,
                                   [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; });
}

constexpr std::size_t longest_name = 32;

constexpr bool is_name(char c) {
    return is(c, token | dot);
}

/// Where an address, and a value in one, surely ends. What is not ASCII does not end it.
constexpr bool ends_address(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`'
           || c == '\\' || c == '\x7F';
}

constexpr bool ends_parameter(char c) {
    constexpr std::string_view ends = "&#;,()[]{}|^";
    return ends_address(c) || ends.find(c) != std::string_view::npos;
}

/// "{token}", "<token>", "$TOKEN", "***", and what has been redacted, stand for a secret and are none.
constexpr bool is_placeholder(std::string_view value) {
    constexpr std::string_view signs = "{<$[(*";
    return value.empty() || signs.find(value.front()) != std::string_view::npos;
}

}  // namespace

/// Whether a key may begin there: not within a word. The n of an escaped \n that has been escaped again is no
/// part of one.
bool secret_forms::begins_word(std::size_t at) const {
    if (at == 0 || !(is(text_[at - 1], word) || text_[at - 1] == '_')) return true;
    constexpr std::string_view escapes = "nrtbf";
    return at >= 2 && text_[at - 2] == '\\' && escapes.find(text_[at - 1]) != std::string_view::npos;
}

std::optional<secret_span> secret_forms::at_anchor(std::size_t at) {
    const auto behind = [at](std::size_t bytes) { return at >= bytes ? at - bytes : no_limit; };
    switch (text_[at]) {
        case '=':
            return url_token(at);
        case '@':
            return url_password(at);
        case 'x':
            return slack(at);
        case 'g':
            if (!begins(at + 3, "_") || !begins(at, "gh")) return {};
            return prefixed(at, 4, secret_rule::github, 36);
        case 'h':
            return begins(at, "hf_") ? prefixed(at, 3, secret_rule::huggingface, 30) : std::nullopt;
        case 'b':
            if (at < 5 || !begins(at - 5, "github_pat_")) return {};
            return prefixed(at - 5, 11, secret_rule::github, 36);
        case 'l':
            if (at < 1 || !begins(at - 1, "glpat-")) return {};
            return prefixed(at - 1, 6, secret_rule::gitlab, 20);
        case 'n':
            return begins(at, "npm_") ? prefixed(at, 4, secret_rule::npm, 36) : std::nullopt;
        case 'A':
            if (begins(at, "AIza")) return prefixed(at, 4, secret_rule::google, 35, 64);
            break;
        case 'K':
            return begins(at, "KIA") && behind(1) != no_limit ? aws(at - 1) : std::nullopt;
        case 'e':
            if (begins(at, "eyJ")) return jwt(at);
            break;
        case 'E':
            if (at >= 6 && begins(at - 6, "-----BEGIN ")) return private_key(at - 6);
            break;
        case 'r':
        case 'R':
            if (begins(at, "rk_")) return stripe(at);
            if (at >= 3 && is_folded(text_.substr(at - 3, 6), "bearer")) return bearer(at - 3);
            break;
        case 's':
        case 'S':
            if (begins(at, "sk")) return keys_with_k(at);
            if (begins(at, "SIA") && behind(1) != no_limit) return aws(at - 1);
            if (at >= 2 && is_folded(text_.substr(at - 2, 5), "basic")) return basic(at - 2);
            break;
        default:
            break;
    }
    return {};
}

std::optional<secret_span> secret_forms::keys_with_k(std::size_t at) {
    if (begins(at, "sk-ant-")) return prefixed(at, 7, secret_rule::anthropic, 20);
    if (begins(at, "sk-")) return openai(at);
    // Groq: "gsk_" and 52 letters and digits.
    if (at >= 1 && begins(at - 1, "gsk_")) return prefixed(at - 1, 4, secret_rule::groq, 40);
    return stripe(at);
}

/// A prefix and `least` or more characters of tokens. GitHub: github.blog/2021-04-05-behind-githubs-new-
/// authentication-token-formats. Google: "AIza" and 35. Hugging Face: "hf_" and 34. npm: "npm_" and 36.
std::optional<secret_span> secret_forms::prefixed(std::size_t begin, std::size_t prefix_size,
                                                  secret_rule rule, std::size_t least, std::size_t most) {
    if (begin < seen_to(rule) || !begins_word(begin)) return {};
    const bool only_words =
        rule == secret_rule::huggingface || rule == secret_rule::npm || rule == secret_rule::groq;
    const bool dotted = rule == secret_rule::gitlab;  // its routable tokens have dots
    const auto of = static_cast<std::uint8_t>(only_words ? word : dotted ? token | dot : token);
    const std::size_t end = run_end(text_, begin + prefix_size, of);
    const std::size_t size = end - begin - prefix_size;
    const bool is_word_alone = !only_words || end == text_.size() || text_[end] != '_';
    if (size >= least && size <= most && is_word_alone)
        return secret_span{.begin = begin, .end = end, .rule = rule};
    seen_to(rule) = end;
    return {};
}

/// "sk-", "sk-proj-", "sk-svcacct-", "sk-or-v1-", …: random parts are long and have digits; names of packages
/// and classes are words joined by dashes.
std::optional<secret_span> secret_forms::openai(std::size_t begin) {
    if (begin < seen_to(secret_rule::openai) || !begins_word(begin)) return {};
    const std::size_t end = run_end(text_, begin + 3, token);
    const std::string_view rest = text_.substr(begin + 3, end - begin - 3);
    constexpr std::size_t least = 20;
    constexpr std::size_t least_run = 16;
    if (rest.size() >= least && has(rest, digit) && has_long_run(rest, word, least_run))
        return secret_span{.begin = begin, .end = end, .rule = secret_rule::openai};
    seen_to(secret_rule::openai) = end;
    return {};
}

/// Ids of access keys: four letters and 16 characters of base32, no more and no less.
std::optional<secret_span> secret_forms::aws(std::size_t begin) {
    constexpr std::size_t size = 20;
    if (text_[begin] != 'A' || !begins_word(begin) || text_.size() - begin < size) return {};
    const std::string_view rest = text_.substr(begin + 4, size - 4);
    const bool base32 =
        std::ranges::all_of(rest, [](char c) { return is(c, upper) || (c >= '2' && c <= '7'); });
    if (!base32) return {};
    if (begin + size < text_.size() && is(text_[begin + size], word)) return {};
    return secret_span{.begin = begin, .end = begin + size, .rule = secret_rule::aws};
}

/// "xoxb-", "xoxp-", "xoxe.xoxp-", "xapp-" and parts joined by dashes, with digits in them.
std::optional<secret_span> secret_forms::slack(std::size_t begin) {
    const bool token_of_kind = begins(begin, "xox") && begin + 4 < text_.size() && is(text_[begin + 3], lower)
                               && (text_[begin + 4] == '-' || begins(begin + 4, ".xox"));
    if (!(token_of_kind || begins(begin, "xapp-")) || begin < seen_to(secret_rule::slack)
        || !begins_word(begin))
        return {};
    const std::size_t end = run_end(text_, begin, static_cast<std::uint8_t>(token | dot));
    constexpr std::size_t least = 20;
    const std::string_view whole = text_.substr(begin, end - begin);
    if (whole.size() >= least && has(whole, digit))
        return secret_span{.begin = begin, .end = end, .rule = secret_rule::slack};
    seen_to(secret_rule::slack) = end;
    return {};
}

/// "sk_live_", "rk_live_", and those of tests.
std::optional<secret_span> secret_forms::stripe(std::size_t begin) {
    if (!begins(begin + 2, "_live_") && !begins(begin + 2, "_test_")) return {};
    if (!begins_word(begin)) return {};
    const std::size_t end = run_end(text_, begin + 8, word);
    constexpr std::size_t least = 10;
    const bool alone = end == text_.size() || text_[end] != '_';
    if (end - begin - 8 < least || !alone) return {};
    return secret_span{.begin = begin, .end = end, .rule = secret_rule::stripe};
}

/// RFC 7519: three parts of base64url joined by dots, of which the first begins an object of JSON; five if it
/// is encrypted (RFC 7516). An unsigned one has nothing behind its second dot.
std::optional<secret_span> secret_forms::jwt(std::size_t begin) {
    if (begin < seen_to(secret_rule::jwt) || !begins_word(begin)) return {};
    constexpr std::size_t least_header = 13;
    constexpr std::size_t least_signature = 20;
    constexpr std::size_t most_parts = 5;
    std::size_t end = run_end(text_, begin, token);
    if (end - begin < least_header || !begins(end, ".")) {
        seen_to(secret_rule::jwt) = end;
        return {};
    }
    const std::size_t payload = end + 1;
    seen_to(secret_rule::jwt) = end;
    end = run_end(text_, payload, token);
    const bool two_objects = begins(payload, "eyJ") && end - payload >= least_header;
    if (end == payload || !begins(end, ".")) return {};
    const std::size_t signature = end + 1;
    end = run_end(text_, signature, token);
    const bool long_signature = end - signature >= least_signature;
    std::size_t parts = 3;
    for (; parts < most_parts && begins(end, "."); ++parts) {
        const std::size_t next = run_end(text_, end + 1, token);
        if (next == end + 1) break;
        end = next;
    }
    if (!two_objects && !long_signature && parts < most_parts) return {};
    return secret_span{.begin = begin, .end = end, .rule = secret_rule::jwt};
}

/// RFC 7468 and OpenSSH's and OpenPGP's like: what is between the lines BEGIN and END; without END, because
/// the text was cut, all that follows.
std::optional<secret_span> secret_forms::private_key(std::size_t begin) {
    constexpr std::string_view dashes = "-----";
    constexpr std::size_t longest_label = 40;
    const std::size_t label = begin + dashes.size();
    const std::size_t label_end = text_.substr(label, longest_label).find(dashes);
    if (label_end == std::string_view::npos
        || text_.substr(label, label_end).find("PRIVATE KEY") == std::string_view::npos)
        return {};
    const std::size_t body = label + label_end + dashes.size();
    const std::size_t next = std::min(text_.find(dashes, body), text_.size());
    const std::string_view between = text_.substr(body, next - body);
    constexpr std::size_t least_run = 16;
    if (!has_long_run(between, base64, least_run)) return {};
    if (begins(next, "-----END "))
        return secret_span{.begin = body, .end = next, .rule = secret_rule::private_key};
    if (next != text_.size()) return {};
    // Only if it begins like one: a text may speak of such lines.
    std::size_t first = body;
    while (first < text_.size() && (is_blank(text_[first]) || text_[first] == '\r' || text_[first] == '\n'))
        ++first;
    while (begins(first, "\\n") || begins(first, "\\r"))
        first += 2;
    const bool headed = begins(first, "Proc-Type:") || begins(first, "Version:") || begins(first, "Comment:");
    if (!headed && run_end(text_, first, base64) - first < least_run) return {};
    return secret_span{.begin = body, .end = next, .rule = secret_rule::private_key};
}

/// Where the credentials stand behind a scheme and blanks; the text's size if they do not.
std::size_t secret_forms::credential_begin(std::size_t begin, std::string_view scheme) const {
    std::size_t at = begin + scheme.size();
    if (at >= text_.size() || !is_blank(text_[at]) || !begins_word(begin)) return text_.size();
    while (at < text_.size() && is_blank(text_[at]))
        ++at;
    return at;
}

/// Whether the scheme stands behind the word authorization, as in a header or an object: whatever follows is
/// meant as credentials then.
bool secret_forms::is_authorization(std::size_t scheme) const {
    constexpr std::string_view between = " \t\"':=>[(,";
    constexpr std::string_view name = "authorization";
    constexpr std::size_t furthest = 8;
    std::size_t end = scheme;
    while (end > 0 && scheme - end < furthest && between.find(text_[end - 1]) != std::string_view::npos)
        --end;
    return end != scheme && end >= name.size()
           && is_folded(text_.substr(end - name.size(), name.size()), name);
}

/// RFC 6750. Outside of headers only what no word looks like: text speaks of bearer tokens.
std::optional<secret_span> secret_forms::bearer(std::size_t begin) {
    const std::size_t at = credential_begin(begin, "bearer");
    std::size_t end = run_end(text_, at, token68);
    while (end > at && text_[end - 1] == '.')
        --end;
    const std::string_view value = text_.substr(at, end - at);
    constexpr std::size_t least_in_header = 6;
    constexpr std::size_t least = 8;
    constexpr std::size_t least_without_digit = 20;
    // Signs of equality stand at its end; "max_tokens=5" is none.
    const std::string_view unpadded = value.substr(0, value.find_last_not_of('=') + 1);
    const bool assigns = unpadded.find('=') != std::string_view::npos;
    const bool random = (value.size() >= least && !assigns && has(value, digit))
                        || (value.size() >= least_without_digit
                            && std::ranges::count_if(value, [](char c) { return is(c, upper); }) > 2);
    if (!random && !(value.size() >= least_in_header && is_authorization(begin))) return {};
    return secret_span{.begin = at, .end = end, .rule = secret_rule::bearer};
}

/// RFC 7617: base64 of user:password.
std::optional<secret_span> secret_forms::basic(std::size_t begin) {
    const std::size_t at = credential_begin(begin, "basic");
    const std::size_t end = run_end(text_, at, base64);
    const std::string_view value = text_.substr(at, end - at);
    constexpr std::size_t least_in_header = 4;
    constexpr std::size_t least = 8;
    if (value.size() < least_in_header) return {};
    if (!is_authorization(begin)) {
        if (value.size() < least) return {};
        const auto bytes = base64_decoded(value);
        if (!bytes || !is_user_and_password(*bytes)) return {};
    }
    return secret_span{.begin = at, .end = end, .rule = secret_rule::basic};
}

/// A parameter whose name tells that it is secret, behind ? & ; # or at the beginning of a form's body.
std::optional<secret_span> secret_forms::url_token(std::size_t sign) {
    if (sign == 0 || !ends_a_name[static_cast<unsigned char>(text_[sign - 1])]) return {};
    std::size_t begin = sign;
    while (begin > 0 && sign - begin <= longest_name && is_name(text_[begin - 1]))
        --begin;
    const std::string_view name = text_.substr(begin, sign - begin);
    const auto* const known = std::ranges::find_if(
        secret_parameters, [name](const secret_parameter& one) { return is_folded(name, one.name); });
    if (known == secret_parameters.end()) return {};
    std::size_t before = begin;
    while (before > 0 && is_blank(text_[before - 1]) && begin - before < 2)
        --before;  // cookies: "; token=…"
    constexpr std::string_view separators = "?&;#";
    const bool in_address = begin > 0 && separators.find(text_[begin - 1]) != std::string_view::npos;
    const bool in_cookie = before > 0 && text_[before - 1] == ';';
    if (!in_address && (known->generic || !(begin == 0 || in_cookie))) return {};
    const std::size_t at = sign + 1;
    if (is_placeholder(text_.substr(at)) || (known->generic && at < without_digit_to_)) return {};
    std::size_t end = at;
    while (end < text_.size() && !ends_parameter(text_[end]))
        ++end;
    const std::string_view value = text_.substr(at, end - at);
    if (value.size() < known->least) return {};
    if (known->generic && !has(value, digit)) {
        without_digit_to_ = end;
        return {};
    }
    return secret_span{.begin = at, .end = end, .rule = secret_rule::url_token};
}

/// RFC 3986, 3.2.1: scheme://user:password@host.
std::optional<secret_span> secret_forms::url_password(std::size_t sign) {
    constexpr std::size_t furthest = 1024;
    std::size_t begin = sign;
    while (begin > 0 && sign - begin < furthest && text_[begin - 1] != '/' && text_[begin - 1] != '@'
           && !ends_address(text_[begin - 1]))
        --begin;
    if (begin < 4 || text_.substr(begin - 3, 3) != "://" || !is(text_[begin - 4], word)) return {};
    std::size_t end = sign;
    for (std::size_t at = sign; at < text_.size() && !ends_address(text_[at]); ++at) {
        if (text_[at] == '/' || text_[at] == '?' || text_[at] == '#') break;
        if (text_[at] == '@') end = at;  // one may be part of the password
    }
    const std::size_t colon = text_.substr(begin, end - begin).find(':');
    if (colon == std::string_view::npos) return {};
    const std::size_t at = begin + colon + 1;
    if (at == end || text_.substr(at, end - at) == redacted_text) return {};
    if (end + 1 == text_.size() || ends_address(text_[end + 1])) return {};
    return secret_span{.begin = at, .end = end, .rule = secret_rule::url_password};
}

}  // namespace livelogd::protocol
