// SPDX-License-Identifier: MIT
// /api/v1/logs/sign-in and /sign-out: forms that need no script. /session: whether somebody is signed in.
#include "daemon/http/admission.hpp"
#include "daemon/http/auth/cookies.hpp"
#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"
#include "daemon/http/request_parser.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

namespace livelogd::http {
namespace {

constexpr const char* page_policy =
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'";
/// Where a page puts what the daemon has to say.
constexpr std::string_view said_here = "<!-- said -->";

std::string_view page_text(std::string_view name) {
    const auto files = assets::all();
    const auto found = std::ranges::find(files, name, &assets::asset::name);
    if (found == files.end()) throw std::logic_error("a page is missing from the program");
    return found->bytes;
}

/// `said` is one of this file's own sentences: nothing that a client sends is ever part of a page.
reply page(std::string_view name, unsigned status = 200, std::string_view said = {}) {
    std::string text(page_text(name));
    const auto at = text.find(said_here);
    if (at == std::string::npos) throw std::logic_error("a page has no place for what is said");
    text.replace(at, said_here.size(),
                 said.empty() ? std::string{} : "<p role=\"alert\">" + std::string(said) + "</p>");
    // Referrer-Policy: with "no-referrer" a browser sends "Origin: null" with a form, which could be
    // anybody's.
    reply made{.status = status,
               .content_type = "text/html; charset=utf-8",
               .headers = {{"Content-Security-Policy", page_policy}, {"Referrer-Policy", "same-origin"}},
               .body = std::move(text)};
    if (status == 401) made.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"livelogd\"");
    return made;
}

reply go_to(std::string where) {
    return {.status = 303, .content_type = "", .headers = {{"Location", std::move(where)}}};
}

std::string next_of(const request& asked) {
    const parameters given(asked, {"next"});
    return std::string(given.one("next").value_or(""));
}

/// Fields of the form that a request sends.
parameter_list fields_of(const request& asked) {
    const auto type = asked.header("content-type").value_or("");
    const auto name = type.substr(0, type.find_first_of("; "));
    if (!asked.body.empty() && name != "application/x-www-form-urlencoded")
        throw bad_request(415, "a form is sent as application/x-www-form-urlencoded");
    return parse_form(asked.body);
}

/// The token in a form, without the white space that comes along when it is copied.
std::string token_of(const request& asked) {
    std::string token;
    for (const auto& [name, value] : fields_of(asked)) {
        if (name == "token") token = value;
    }
    constexpr std::string_view white = " \t\r\n";
    token.erase(0, std::min(token.find_first_not_of(white), token.size()));
    token.erase(token.find_last_not_of(white) + 1);
    return token;
}

bool nobody_has_to(const request& asked, const authenticator* who) {
    return who == nullptr || !who->asks(asked);
}

std::chrono::steady_clock::time_point now() {
    return std::chrono::steady_clock::now();
}

endpoint sign_in_page(authenticator* who) {
    return [who](const request& asked) -> net::awaitable<reply> {
        const auto next = next_of(asked);
        if (nobody_has_to(asked, who) || who->has_session(asked, now())) co_return go_to(way_back(next));
        co_return page("sign_in.html");
    };
}

endpoint sign_in_form(authenticator* who) {
    return [who](const request& asked) -> net::awaitable<reply> {
        const auto next = next_of(asked);
        if (nobody_has_to(asked, who)) co_return go_to(way_back(next));
        const auto token = token_of(asked);
        if (token.empty()) co_return page("sign_in.html", 400, "The token is missing.");
        const auto done = who->sign_in(asked, token, now());
        if (done.what == authenticator::outcome::limited) {
            auto wait = page("sign_in.html", 429,
                             "Too many wrong tokens. Try again in " + std::to_string(done.wait) + " s.");
            wait.headers.emplace_back("Retry-After", std::to_string(done.wait));
            co_return wait;
        }
        if (done.what != authenticator::outcome::admitted)
            co_return page("sign_in.html", 401, "That is not the token.");
        const auto name = (asked.tls ? std::string(secure_prefix) : std::string{}) + cookie_name(asked);
        auto made = go_to(way_back(next));
        made.headers.emplace_back("Set-Cookie",
                                  set_cookie(name, done.session, who->session_ttl(), asked.tls));
        co_return made;
    };
}

endpoint sign_out_page(authenticator* who) {
    return [who](const request& asked) -> net::awaitable<reply> {
        const parameters none(asked, {});
        if (nobody_has_to(asked, who)) co_return go_to(way_back({}));
        co_return page("sign_out.html");
    };
}

endpoint sign_out_form(authenticator* who) {
    return [who](const request& asked) -> net::awaitable<reply> {
        const parameters none(asked, {});
        fields_of(asked);
        if (nobody_has_to(asked, who)) co_return go_to(way_back({}));
        who->sign_out(asked);
        auto made = go_to("sign-in");
        const auto cookies = session_cookies(asked);
        if (!cookies.empty()) {
            const auto& name = cookies.front().name;
            made.headers.emplace_back("Set-Cookie",
                                      set_cookie(name, {}, {}, name.starts_with(secure_prefix)));
        }
        co_return made;
    };
}

endpoint session_endpoint(authenticator* who) {
    return [who](const request& asked) -> net::awaitable<reply> {
        const parameters none(asked, {});
        const bool required = !nobody_has_to(asked, who);
        const bool signed_in = required && who->has_session(asked, now());
        co_return reply{.body = std::string("{\"required\":") + (required ? "true" : "false")
                                + ",\"signed_in\":" + (signed_in ? "true" : "false") + "}\n"};
    };
}

}  // namespace

void add_sign_in_routes(router& routes, authenticator* who) {
    routes.add_form(sign_in_path, sign_in_page(who), sign_in_form(who));
    routes.add_form(sign_out_path, sign_out_page(who), sign_out_form(who));
    routes.add("/api/v1/logs/session", session_endpoint(who), timing::unmeasured, audience::anyone);
}

}  // namespace livelogd::http
