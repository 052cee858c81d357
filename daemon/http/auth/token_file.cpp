// SPDX-License-Identifier: MIT
#include "daemon/http/auth/token_file.hpp"

#include "daemon/base/errno_text.hpp"
#include "daemon/base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace livelogd::http {
namespace {

constexpr std::string_view white = " \t\r\n";
constexpr const char* how_to_make = " (make one: openssl rand -hex 32)";

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw token_file_error("the token file " + path + " " + why);
}

}  // namespace

std::string token_in(std::string_view text, const std::string& path) {
    const auto begin = std::min(text.find_first_not_of(white), text.size());
    text.remove_prefix(begin);
    text = text.substr(0, text.find_last_not_of(white) + 1);
    if (text.empty()) refuse(path, std::string("is empty: put a token into it, on one line") + how_to_make);
    if (text.find_first_of(white) != std::string_view::npos)
        refuse(path, "must hold one token on one line, without white space in it");
    if (!std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; }))
        refuse(path, std::string("holds a character that is not visible ASCII") + how_to_make);
    if (text.size() < shortest_token) {
        refuse(path, "holds a token of " + std::to_string(text.size()) + " characters: at least "
                         + std::to_string(shortest_token) + " are needed" + how_to_make);
    }
    if (text.size() > longest_token)
        refuse(path, "holds a token of more than " + std::to_string(longest_token) + " characters");
    return std::string(text);
}

std::string read_token_file(const std::string& path) {
    // O_NONBLOCK: a pipe at this place would else be waited for.
    const base::unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file) {
        const int error = errno;
        refuse(path, "cannot be opened: " + base::errno_text(error)
                         + (error == ENOENT ? how_to_make
                                            : " (the user that livelogd runs as must be able to read it)"));
    }
    struct stat what{};
    if (::fstat(file.get(), &what) != 0) refuse(path, "cannot be looked at");
    if (!S_ISREG(what.st_mode)) refuse(path, "is no regular file");
    if ((what.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        refuse(path, std::string("can be ") + ((what.st_mode & S_IROTH) != 0 ? "read" : "written")
                         + " by every user of this machine: chmod o-rw " + path);
    }
    std::array<char, 2 * longest_token + 1> text;
    std::size_t size = 0;
    while (size < text.size()) {
        const auto got = ::read(file.get(), text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) refuse(path, "cannot be read: " + base::errno_text(errno));
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size == text.size()) refuse(path, "is longer than any token");
    return token_in({text.data(), size}, path);
}

}  // namespace livelogd::http
