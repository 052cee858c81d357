// SPDX-License-Identifier: MIT
#include "protocol/redaction.hpp"

#include "tests/support/catch.hpp"

#include <vector>

using livelogd::protocol::default_redact_keys;
using livelogd::protocol::redaction_keys;

TEST_CASE("the default keys match whole, in any case, with either dash") {
    const redaction_keys keys;
    CHECK(default_redact_keys().size() == 17);
    for (const std::string_view name : default_redact_keys()) {
        CAPTURE(std::string(name));
        std::string upper(name);
        std::string swapped(name);
        for (char& c : upper)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
        for (char& c : swapped)
            c = c == '-' ? '_' : c == '_' ? '-' : c;
        CHECK(keys.matches(name));
        CHECK(keys.matches(upper));
        CHECK(keys.matches(swapped));
        CHECK_FALSE(keys.matches(std::string(name) + "s"));
        CHECK_FALSE(keys.matches("x" + std::string(name)));
        CHECK_FALSE(keys.matches(name.substr(1)));
        CHECK_FALSE(keys.matches(name.substr(0, name.size() - 1)));
    }
}

TEST_CASE("what counts tokens is no credential") {
    const redaction_keys keys;
    for (const char* name : {"max_tokens", "prompt_tokens", "completion_tokens", "total_tokens", "tokens",
                             "token_count", "tokens_per_second", "", "message"}) {
        CAPTURE(name);
        CHECK_FALSE(keys.matches(name));
    }
}

TEST_CASE("the operator's own names") {
    const std::vector<std::string> names{
        "Session-ID", "geheim", "", "x", "schl\xC3\xBCssel", "pin code", std::string(100, 'k')};
    const redaction_keys keys(names);
    CHECK(keys.matches("session_id"));
    CHECK(keys.matches("GEHEIM"));
    CHECK(keys.matches("X"));
    CHECK(keys.matches("schl\xC3\xBCssel"));
    CHECK(keys.matches("PIN Code"));
    CHECK(keys.matches(std::string(100, 'K')));
    CHECK_FALSE(keys.matches(std::string(99, 'k')));
    CHECK_FALSE(keys.matches(""));
    CHECK_FALSE(keys.matches("password"));
    CHECK(keys.mentioned_in("my PIN code is"));
    CHECK(keys.mentioned_in("der Schl\xC3\xBCssel"));
    CHECK(keys.mentioned_in("der Schl\\u00fcssel"));
    CHECK_FALSE(keys.mentioned_in("my pin is"));
}

TEST_CASE("no keys at all") {
    const redaction_keys keys{std::span<const std::string>{}};
    CHECK_FALSE(keys.matches("password"));
    CHECK_FALSE(keys.mentioned_in("password"));
}

TEST_CASE("mentions are whole words, whatever stands around them") {
    const redaction_keys keys;
    for (const char* line :
         {"password", "a password.", "\"Set-Cookie\":", "x-api-key=1", "{'token': 1}", "pass\\u0077ord",
          "\\u0054oken", "\\ntoken", "a\\\\token", "__token__", "\xFFtoken\xFF"}) {
        CAPTURE(line);
        CHECK(keys.mentioned_in(line));
    }
    for (const char* line : {"", "tokens", "a_token_b", "passwordless", "tok en", "max_tokens",
                             "pass\\u00770rd", "\\u005", "\\u", "\\"}) {
        CAPTURE(line);
        CHECK_FALSE(keys.mentioned_in(line));
    }
}
