// SPDX-License-Identifier: MIT
#include "daemon/base/unique_fd.hpp"

#include "tests/support/catch.hpp"

#include <fcntl.h>

#include <utility>

using livelogd::base::unique_fd;

namespace {

int open_null() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

}  // namespace

TEST_CASE("a descriptor is closed with its owner") {
    int fd = -1;
    {
        const unique_fd owner(open_null());
        fd = owner.get();
        REQUIRE(owner);
        REQUIRE(is_open(fd));
    }
    CHECK_FALSE(is_open(fd));
}

TEST_CASE("ownership moves, and can be given up") {
    unique_fd first(open_null());
    const int fd = first.get();
    unique_fd second(std::move(first));
    CHECK(second.get() == fd);
    unique_fd third(open_null());
    const int replaced = third.get();
    third = std::move(second);
    CHECK(third.get() == fd);
    CHECK_FALSE(is_open(replaced));
    const unique_fd kept(third.release());
    CHECK_FALSE(static_cast<bool>(third));
    CHECK(is_open(fd));
    third.reset();
    CHECK(is_open(fd));
}
