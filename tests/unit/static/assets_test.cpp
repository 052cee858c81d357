// SPDX-License-Identifier: MIT
#include "static/assets.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

using livelogd::assets::all;
using livelogd::assets::asset;

namespace {

const asset* find(std::string_view name) {
    const auto files = all();
    const auto found = std::ranges::find(files, name, &asset::name);
    return found == files.end() ? nullptr : &*found;
}

std::uint32_t byte(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text.at(at));
}

// The length of the content as the last four bytes of a gzip file tell it, low byte first (RFC 1952).
std::size_t gzip_content_length(std::string_view gzip) {
    std::uint32_t length = 0;
    for (std::size_t i = 4; i > 0; --i) {
        length = length << 8 | byte(gzip, gzip.size() - 5 + i);
    }
    return length;
}

}  // namespace

TEST_CASE("every asset is there, as it is and compressed") {
    REQUIRE_FALSE(all().empty());  // without the viewer there is one page
    std::set<std::string_view> names;
    for (const asset& file : all()) {
        INFO(file.name);
        CHECK(names.insert(file.name).second);
        REQUIRE_FALSE(file.bytes.empty());
        REQUIRE(file.gzip.size() > 18);
        CHECK(file.gzip.size() < file.bytes.size());
        CHECK(file.gzip.substr(0, 3) == "\x1f\x8b\x08");
        CHECK(gzip_content_length(file.gzip) == file.bytes.size());
    }
}

TEST_CASE("compressed assets carry neither name nor time, so that builds are the same") {
    for (const asset& file : all()) {
        INFO(file.name);
        REQUIRE(file.gzip.size() > 18);
        CHECK(byte(file.gzip, 3) == 0);
        CHECK(file.gzip.substr(4, 4) == std::string_view("\0\0\0\0", 4));
    }
}

TEST_CASE("content types follow the names") {
    REQUIRE(find("index.html") != nullptr);
    for (const asset& file : all()) {
        INFO(file.name);
        const std::string_view suffix = file.name.substr(file.name.rfind('.'));
        CHECK(file.content_type
              == (suffix == ".html"  ? "text/html; charset=utf-8"
                  : suffix == ".css" ? "text/css; charset=utf-8"
                  : suffix == ".txt" ? "text/plain; charset=utf-8"
                                     : "text/javascript; charset=utf-8"));
    }
}

TEST_CASE("every file of the viewer is complete and names only files that are there") {
    const asset* page = find("index.html");
    REQUIRE(page != nullptr);
    CHECK(page->bytes.substr(0, 4) == "<!--");
    CHECK(page->bytes.ends_with("</html>\n"));
    for (const asset& file : all()) {
        INFO(file.name);
        CHECK(file.bytes.find("SPDX-License-Identifier: MIT") != std::string_view::npos);
        for (const std::string_view mark : {"logs/assets/", "from './"}) {
            for (std::size_t at = file.bytes.find(mark); at != std::string_view::npos;
                 at = file.bytes.find(mark, at + 1)) {
                const std::string_view rest = file.bytes.substr(at + mark.size());
                const std::string name{rest.substr(0, rest.find_first_of("'\""))};
                INFO("names " << name);
                CHECK(find(name) != nullptr);
            }
        }
    }
}
