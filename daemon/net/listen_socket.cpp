// SPDX-License-Identifier: MIT
#include "daemon/net/listen_socket.hpp"

#include "daemon/base/errno_text.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

namespace livelogd::net {
namespace {

constexpr int backlog = 1024;

[[noreturn]] void fail(const listen_address& address, const std::string& why) {
    throw listen_error("cannot listen on " + address.text() + ": " + why);
}

sockaddr_un unix_address(const std::string& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), path.size());
    return name;
}

/// Whether a living program listens on the socket file.
bool answers(const sockaddr_un& name) {
    const base::unique_fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!probe) return true;  // not known: rather refuse than take somebody's place
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return true;
    return errno != ECONNREFUSED && errno != ENOENT;
}

/// The address of a socket, as the operator would write it. False if that cannot be done.
bool read_address(const sockaddr_storage& name, socklen_t size, listen_address& into) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const auto take_ip = [&](listen_address::family kind, const void* ip, in_port_t port) {
        into.kind = kind;
        into.host = ::inet_ntop(name.ss_family, ip, text.data(), text.size());
        into.port = ntohs(port);
        return true;
    };
    if (name.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(name);
        return take_ip(listen_address::family::ipv4, &v4.sin_addr, v4.sin_port);
    }
    if (name.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(name);
        return take_ip(listen_address::family::ipv6, &v6.sin6_addr, v6.sin6_port);
    }
    if (name.ss_family != AF_UNIX) return false;
    const auto& local = reinterpret_cast<const sockaddr_un&>(name);
    // An abstract name begins with a zero, one without a name has no path at all.
    if (size <= offsetof(sockaddr_un, sun_path) || local.sun_path[0] == '\0') return false;
    into.kind = listen_address::family::local;
    into.host.assign(local.sun_path, ::strnlen(local.sun_path, size - offsetof(sockaddr_un, sun_path)));
    return true;
}

}  // namespace

listen_socket listen_socket::open(const listen_address& address, const socket_access& access) {
    listen_socket made;
    made.address_ = address;
    if (address.kind == listen_address::family::local) {
        made.open_unix(access);
    } else {
        made.open_tcp();
    }
    return made;
}

listen_socket listen_socket::adopt(base::unique_fd fd) {
    const auto refuse = [](const std::string& why) {
        throw listen_error("a socket that was passed on cannot be listened on: " + why);
    };
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0) refuse(base::errno_text(errno));
    if (type != SOCK_STREAM) refuse("it is no stream socket (ListenStream=)");
    sockaddr_storage storage{};
    size = sizeof storage;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0)
        refuse(base::errno_text(errno));
    listen_socket made;
    if (!read_address(storage, size, made.address_))
        refuse("its address is neither IP nor the path of a file");
    int listening = 0;
    socklen_t int_size = sizeof listening;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &int_size);
    if (listening == 0 && ::listen(fd.get(), backlog) != 0) refuse(base::errno_text(errno));
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    made.fd_ = std::move(fd);
    return made;
}

int listen_socket::family() const {
    switch (address_.kind) {
        case listen_address::family::ipv4:
            return AF_INET;
        case listen_address::family::ipv6:
            return AF_INET6;
        case listen_address::family::local:
            break;
    }
    return AF_UNIX;
}

void listen_socket::open_tcp() {
    sockaddr_storage storage{};
    socklen_t size = 0;
    in_port_t* port = nullptr;
    if (address_.kind == listen_address::family::ipv4) {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(address_.port);
        ::inet_pton(AF_INET, address_.host.c_str(), &v4->sin_addr);
        size = sizeof *v4;
        port = &v4->sin_port;
    } else {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address_.port);
        ::inet_pton(AF_INET6, address_.host.c_str(), &v6->sin6_addr);
        size = sizeof *v6;
        port = &v6->sin6_port;
    }
    fd_ = base::unique_fd(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) fail(address_, base::errno_text(errno));
    const int on = 1;
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (storage.ss_family == AF_INET6) ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    auto* name = reinterpret_cast<sockaddr*>(&storage);
    if (::bind(fd_.get(), name, size) != 0 || ::listen(fd_.get(), backlog) != 0) {
        const int error = errno;
        if (error == EADDRINUSE) {
            fail(address_, "another program listens there (stop it, or choose another port with --listen)");
        }
        fail(address_, base::errno_text(error));
    }
    ::getsockname(fd_.get(), name, &size);
    address_.port = ntohs(*port);
}

void listen_socket::open_unix(const socket_access& access) {
    const std::string& path = address_.host;
    const std::string lock_path = path + ".lock";
    lock_ = base::unique_fd(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock_) fail(address_, "cannot open " + lock_path + ": " + base::errno_text(errno));
    const std::string taken = "another program listens there (stop it, or choose another path)";
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) fail(address_, taken);

    const sockaddr_un name = unix_address(path);
    struct stat there{};
    if (::lstat(path.c_str(), &there) == 0) {
        if (!S_ISSOCK(there.st_mode))
            fail(address_, "there is a file there that is no socket; it is left alone");
        if (answers(name)) fail(address_, taken);
        ::unlink(path.c_str());
    }
    fd_ = base::unique_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) fail(address_, base::errno_text(errno));
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
        fail(address_, base::errno_text(errno));
    }
    // Nobody can connect before listen(): the mode is right from the first connection on.
    if (access.group && ::chown(path.c_str(), static_cast<uid_t>(-1), *access.group) != 0) {
        fail(address_, "cannot give it to the group: " + base::errno_text(errno));
    }
    if (::chmod(path.c_str(), access.mode) != 0)
        fail(address_, "cannot set its mode: " + base::errno_text(errno));
    if (::listen(fd_.get(), backlog) != 0) fail(address_, base::errno_text(errno));
    if (::lstat(path.c_str(), &there) == 0) inode_ = there.st_ino;
}

listen_socket::~listen_socket() {
    if (inode_ == 0) return;
    struct stat there{};
    if (::lstat(address_.host.c_str(), &there) == 0 && S_ISSOCK(there.st_mode) && there.st_ino == inode_) {
        ::unlink(address_.host.c_str());
    }
}

}  // namespace livelogd::net
