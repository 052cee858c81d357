// SPDX-License-Identifier: MIT
#include "daemon/filter/pattern.hpp"

#include "daemon/filter/filter_error.hpp"

#include <re2/re2.h>

#include <cstdint>

namespace livelogd::filter {
namespace {

constexpr std::int64_t max_memory = 1 << 20;

std::string what_is_wrong(const re2::RE2& expression) {
    // The part of the expression that RE2 stopped at.
    const std::string part = quoted_excerpt(expression.error_arg());
    switch (expression.error_code()) {
        case re2::RE2::ErrorBadEscape:
            return part + " is no escape";
        case re2::RE2::ErrorBadCharClass:
        case re2::RE2::ErrorBadCharRange:
            return part + " is no class of characters";
        case re2::RE2::ErrorMissingBracket:
            return "a ] is missing after " + part;
        case re2::RE2::ErrorMissingParen:
            return "a ) is missing";
        case re2::RE2::ErrorUnexpectedParen:
            return "a ) closes nothing; \\) stands for the character";
        case re2::RE2::ErrorTrailingBackslash:
            return "it ends in a backslash; \\\\ stands for one";
        case re2::RE2::ErrorRepeatArgument:
            return "there is nothing before " + part + " to be repeated";
        case re2::RE2::ErrorRepeatSize:
            return part + " repeats too often, or less than never";
        case re2::RE2::ErrorRepeatOp:
            return part + " repeats a repetition";
        case re2::RE2::ErrorBadPerlOp:
            return part + " is not known to RE2: it can look neither ahead nor behind";
        case re2::RE2::ErrorBadUTF8:
            return "it is not UTF-8";
        case re2::RE2::ErrorBadNamedCapture:
            return part + " is no name for a group";
        case re2::RE2::ErrorPatternTooLarge:
            return "it needs more than 1 MiB of memory: make it shorter, or let it repeat less";
        case re2::RE2::NoError:
        case re2::RE2::ErrorInternal:
            break;
    }
    return "RE2 cannot use it: " + expression.error();
}

}  // namespace

pattern::pattern(std::string_view expression) {
    re2::RE2::Options options;
    options.set_max_mem(max_memory);
    options.set_log_errors(false);
    options.set_never_capture(true);
    auto compiled =
        std::make_shared<const re2::RE2>(re2::StringPiece(expression.data(), expression.size()), options);
    if (!compiled->ok()) throw pattern_error(what_is_wrong(*compiled));
    expression_ = std::move(compiled);
}

bool pattern::matches_in(std::string_view text) const {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression_);
}

}  // namespace livelogd::filter
