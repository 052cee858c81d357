// SPDX-License-Identifier: MIT
#include "daemon/http/auth/token_file.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

using namespace livelogd;

namespace {

std::string refusal_of(const std::string& path) {
    try {
        http::read_token_file(path);
    } catch (const http::token_file_error& error) {
        return error.what();
    }
    return {};
}

void write(const std::filesystem::path& path, const std::string& text, mode_t mode = 0600) {
    std::ofstream(path) << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
}

}  // namespace

TEST_CASE("a token is the one line of its file", "[auth]") {
    const std::string token = "0123456789abcdef";
    for (const std::string& text : {token, token + "\n", token + "\r\n", "  " + token + " \t\n\n"}) {
        INFO(text);
        CHECK(http::token_in(text, "f") == token);
    }
    for (const std::string text :
         {"", "\n", "  \n", "0123456789abcde", "0123456789 abcdef", "0123456789abcdef\nsecond",
          "0123456789abcde\xc3\xa9", "0123456789abcdef\x01"}) {
        INFO(text);
        CHECK_THROWS_AS(http::token_in(text, "f"), http::token_file_error);
    }
    CHECK(http::token_in(std::string(1024, 'x'), "f").size() == 1024);
    CHECK_THROWS_AS(http::token_in(std::string(1025, 'x'), "f"), http::token_file_error);
}

TEST_CASE("a token file that others can use is refused with the cure", "[auth]") {
    const test::temp_dir folder;
    const auto path = folder.path() / "token";
    write(path, "0123456789abcdef\n");
    CHECK(http::read_token_file(path) == "0123456789abcdef");
    for (const mode_t mode : {0640U, 0660U, 0400U, 0440U}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        CHECK(http::read_token_file(path) == "0123456789abcdef");
    }
    for (const mode_t mode : {0644U, 0604U, 0602U, 0666U}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        const auto told = refusal_of(path);
        CHECK(told.find(path.string()) != std::string::npos);
        CHECK(told.find("chmod o-rw") != std::string::npos);
    }
}

TEST_CASE("what is no file to read is told, and not waited for", "[auth]") {
    const test::temp_dir folder;
    const auto at = [&](const char* name) { return (folder.path() / name).string(); };
    CHECK(refusal_of(at("missing")).find("cannot be opened") != std::string::npos);
    CHECK(refusal_of(folder.path().string()).find("no regular file") != std::string::npos);
    REQUIRE(::mkfifo(at("pipe").c_str(), 0600) == 0);
    CHECK(refusal_of(at("pipe")).find("no regular file") != std::string::npos);
    write(at("empty"), "");
    CHECK(refusal_of(at("empty")).find("is empty") != std::string::npos);
    write(at("long"), std::string(100'000, 'x'));
    CHECK(refusal_of(at("long")).find("longer") != std::string::npos);
    write(at("token"), "0123456789abcdef\n");
    std::filesystem::create_symlink("token", at("link"));
    CHECK(http::read_token_file(at("link")) == "0123456789abcdef");
}
