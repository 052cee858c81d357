// SPDX-License-Identifier: MIT
// A library for LD_PRELOAD that makes the system calls on one directory fail, stop short, take long, or kill
// the process, as told by rules in a file that the test has mapped too, so that faults come and go while the
// program runs.
//
// FAULT_DIR is the directory (no symbolic link in it, no slash at its end), FAULT_CONTROL the file. Calls on
// anything else pass through. The numbers and the layout are those of fault_control.py. Any thread may call;
// nothing here is locked but counters, so a call that is held up holds up no other.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    OP_CREATE = 1,
    OP_WRITE = 2,
    OP_SYNC = 4,
    OP_TRUNCATE = 8,
    OP_RENAME = 16,
    OP_UNLINK = 32,
    OP_SYMLINK = 64,
    OP_MKDIR = 128
};
enum {
    KIND_SEGMENT = 1,
    KIND_STATE = 2,
    KIND_CURRENT = 4,
    KIND_TORN = 8,
    KIND_DIRECTORY = 16,
    KIND_OTHER = 32
};
enum {
    ACTION_FAIL = 1,
    ACTION_KILL_BEFORE = 2,
    ACTION_KILL_AFTER = 3,
    ACTION_DELAY = 4,
    ACTION_ROOM = 5,
    ACTION_ROOM_THEN_KILL = 6
};
enum { RULES = 8 };

struct rule {
    _Atomic int64_t active;  // set last, cleared first
    int64_t ops;             // bits: which calls
    int64_t kinds;           // bits: on which files
    int64_t from;            // the first call that is hit, from 1
    int64_t times;           // how many are hit; -1: all from there on
    int64_t action;
    int64_t value;         // an errno, or microseconds
    _Atomic int64_t room;  // bytes that may still be written
    _Atomic int64_t seen;  // calls that matched
    _Atomic int64_t hits;  // calls that came to harm
};

struct control {
    _Atomic int64_t attached;  // the process that has mapped this
    _Atomic int64_t calls;     // on the directory, so far
    _Atomic int64_t bytes;     // written to segments, so far
    int64_t reserved;
    struct rule rules[RULES];
};

// What the rules have made of one call.
struct verdict {
    int error;
    int kill_after;
    int dies_when_short;
    size_t length;  // that may be written
};

static struct control* control;
static char directory[PATH_MAX];
static size_t directory_length;

#define REAL(name)                 \
    static __typeof__(&name) real; \
    if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void attach(void) {
    const char* prefix = getenv("FAULT_DIR");
    const char* file = getenv("FAULT_CONTROL");
    if (prefix == NULL || file == NULL || strlen(prefix) >= sizeof directory) return;
    const int fd = open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void* memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) return;
    strcpy(directory, prefix);
    directory_length = strlen(directory);
    control = memory;
    control->attached = getpid();
}

static _Noreturn void die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static int starts_with(const char* text, const char* start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static int kind_of_path(const char* path) {
    if (control == NULL || path == NULL || strncmp(path, directory, directory_length) != 0) return 0;
    if (path[directory_length] == '\0') return KIND_DIRECTORY;
    if (path[directory_length] != '/') return 0;
    const char* name = path + directory_length + 1;
    if (strstr(name, ".torn") != NULL) return KIND_TORN;
    if (starts_with(name, "live-") && strstr(name, ".jsonl") != NULL) return KIND_SEGMENT;
    if (starts_with(name, ".state")) return KIND_STATE;
    if (strstr(name, "current") != NULL) return KIND_CURRENT;
    return KIND_OTHER;
}

static int kind_of_descriptor(int fd) {
    if (control == NULL) return 0;
    char link[32];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const int before = errno;
    const ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length <= 0) return 0;
    path[length] = '\0';
    return kind_of_path(path);
}

static int kind_at(int at, const char* path) {
    if (control == NULL || path == NULL) return 0;
    if (path[0] == '/') return kind_of_path(path);
    char whole[2 * PATH_MAX];
    ssize_t length = 0;
    if (at == AT_FDCWD) {
        if (getcwd(whole, PATH_MAX) == NULL) return 0;
        length = (ssize_t)strlen(whole);
    } else {
        char link[32];
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        length = readlink(link, whole, PATH_MAX - 1);
        if (length <= 0) return 0;
    }
    snprintf(whole + length, sizeof whole - (size_t)length, "/%s", path);
    return kind_of_path(whole);
}

static void hit(struct rule* rule) {
    atomic_fetch_add(&rule->hits, 1);
}

// For as long as the rule says, and no longer than it holds.
static void wait_for(struct rule* rule) {
    enum { slice = 10000 };  // microseconds
    for (int64_t left = rule->value; left > 0 && atomic_load(&rule->active); left -= slice) {
        struct timespec part = {0, (long)(left < slice ? left : slice) * 1000};
        while (nanosleep(&part, &part) != 0 && errno == EINTR) {
        }
    }
}

// Takes up to `length` bytes from what the rule still lets through.
static size_t take_room(struct rule* rule, size_t length) {
    int64_t room = atomic_load(&rule->room);
    for (;;) {
        const int64_t taken = room < (int64_t)length ? room : (int64_t)length;
        if (atomic_compare_exchange_weak(&rule->room, &room, room - taken)) return (size_t)taken;
    }
}

static struct verdict judge(int op, int kind, size_t length) {
    struct verdict verdict = {0, 0, 0, length};
    if (kind == 0) return verdict;
    atomic_fetch_add(&control->calls, 1);
    for (int i = 0; i < RULES; ++i) {
        struct rule* rule = &control->rules[i];
        if (!atomic_load(&rule->active) || !(rule->ops & op) || !(rule->kinds & kind)) continue;
        const int64_t nth = atomic_fetch_add(&rule->seen, 1) + 1;
        if (nth < rule->from || (rule->times >= 0 && nth >= rule->from + rule->times)) continue;
        switch (rule->action) {
            case ACTION_FAIL:
                hit(rule);
                verdict.error = (int)rule->value;
                break;
            case ACTION_KILL_BEFORE:
                hit(rule);
                die();
            case ACTION_KILL_AFTER:
                hit(rule);
                verdict.kill_after = 1;
                break;
            case ACTION_DELAY:
                hit(rule);
                wait_for(rule);
                break;
            case ACTION_ROOM:
            case ACTION_ROOM_THEN_KILL: {
                const size_t room = take_room(rule, verdict.length);
                // The process also dies where the last byte that it may write is the last of a call.
                const int dies = rule->action == ACTION_ROOM_THEN_KILL && atomic_load(&rule->room) == 0;
                if (room == verdict.length && !dies) break;
                hit(rule);
                verdict.length = room;
                verdict.dies_when_short = dies;
                if (room == 0) verdict.error = (int)rule->value;
                break;
            }
            default:
                break;
        }
    }
    return verdict;
}

// For all but writes: what is returned where the call has not to be made, or its result.
#define PASS(op, kind, call)                               \
    do {                                                   \
        const struct verdict verdict = judge(op, kind, 0); \
        if (verdict.error != 0) {                          \
            errno = verdict.error;                         \
            return -1;                                     \
        }                                                  \
        const __typeof__(call) result = call;              \
        if (verdict.kill_after) die();                     \
        return result;                                     \
    } while (0)

// --- writing
// -------------------------------------------------------------------------------------------------------

// One write of a contiguous piece; `offset` < 0: where the file stands.
static ssize_t guarded_write(int fd, int kind, const void* data, size_t length, off_t offset) {
    REAL(write);
    static __typeof__(&pwrite) real_pwrite;
    if (real_pwrite == NULL) real_pwrite = (__typeof__(&pwrite))dlsym(RTLD_NEXT, "pwrite");
    const struct verdict verdict = judge(OP_WRITE, kind, length);
    if (verdict.error != 0 && !verdict.dies_when_short) {
        errno = verdict.error;
        return -1;
    }
    ssize_t done = 0;
    while (done < (ssize_t)verdict.length) {  // all of it, so that a kill comes at the very byte
        const char* at = (const char*)data + done;
        const size_t left = verdict.length - (size_t)done;
        const ssize_t n = offset < 0 ? real(fd, at, left) : real_pwrite(fd, at, left, offset + done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            if (done == 0) return n;
            break;
        }
        done += n;
        if (!verdict.dies_when_short) break;
    }
    if (kind == KIND_SEGMENT) atomic_fetch_add(&control->bytes, done);
    if (verdict.kill_after || verdict.dies_when_short) die();
    return done;
}

ssize_t write(int fd, const void* data, size_t length) {
    REAL(write);
    const int kind = kind_of_descriptor(fd);
    return kind == 0 ? real(fd, data, length) : guarded_write(fd, kind, data, length, -1);
}

ssize_t pwrite(int fd, const void* data, size_t length, off_t offset) {
    REAL(pwrite);
    const int kind = kind_of_descriptor(fd);
    return kind == 0 ? real(fd, data, length, offset) : guarded_write(fd, kind, data, length, offset);
}

ssize_t pwrite64(int fd, const void* data, size_t length, off64_t offset) {
    return pwrite(fd, data, length, offset);
}

ssize_t writev(int fd, const struct iovec* pieces, int count) {
    REAL(writev);
    const int kind = kind_of_descriptor(fd);
    if (kind == 0) return real(fd, pieces, count);
    size_t length = 0;
    for (int i = 0; i < count; ++i)
        length += pieces[i].iov_len;
    char* whole = malloc(length + 1);
    size_t at = 0;
    for (int i = 0; i < count; ++i) {
        memcpy(whole + at, pieces[i].iov_base, pieces[i].iov_len);
        at += pieces[i].iov_len;
    }
    const ssize_t done = guarded_write(fd, kind, whole, length, -1);
    const int error = errno;
    free(whole);
    errno = error;
    return done;
}

// --- syncing, cutting
// ----------------------------------------------------------------------------------------------

int fsync(int fd) {
    REAL(fsync);
    PASS(OP_SYNC, kind_of_descriptor(fd), real(fd));
}

int fdatasync(int fd) {
    REAL(fdatasync);
    PASS(OP_SYNC, kind_of_descriptor(fd), real(fd));
}

int ftruncate(int fd, off_t length) {
    REAL(ftruncate);
    PASS(OP_TRUNCATE, kind_of_descriptor(fd), real(fd, length));
}

int ftruncate64(int fd, off64_t length) {
    return ftruncate(fd, length);
}

// --- names
// ---------------------------------------------------------------------------------------------------------

static mode_t mode_of(int flags, va_list arguments) {
    return (flags & (O_CREAT | __O_TMPFILE)) ? (mode_t)va_arg(arguments, int) : 0;
}

#define OPEN_BODY(at, path, flags, call)           \
    va_list arguments;                             \
    va_start(arguments, flags);                    \
    const mode_t mode = mode_of(flags, arguments); \
    va_end(arguments);                             \
    if (!((flags) & O_CREAT)) return call;         \
    PASS(OP_CREATE, kind_at(at, path), call)

int open(const char* path, int flags, ...) {
    REAL(open);
    OPEN_BODY(AT_FDCWD, path, flags, real(path, flags, mode));
}

int open64(const char* path, int flags, ...) {
    REAL(open64);
    OPEN_BODY(AT_FDCWD, path, flags, real(path, flags, mode));
}

int openat(int at, const char* path, int flags, ...) {
    REAL(openat);
    OPEN_BODY(at, path, flags, real(at, path, flags, mode));
}

int openat64(int at, const char* path, int flags, ...) {
    REAL(openat64);
    OPEN_BODY(at, path, flags, real(at, path, flags, mode));
}

int rename(const char* from, const char* to) {
    REAL(rename);
    PASS(OP_RENAME, kind_at(AT_FDCWD, to), real(from, to));
}

int renameat(int from_at, const char* from, int to_at, const char* to) {
    REAL(renameat);
    PASS(OP_RENAME, kind_at(to_at, to), real(from_at, from, to_at, to));
}

int unlink(const char* path) {
    REAL(unlink);
    PASS(OP_UNLINK, kind_at(AT_FDCWD, path), real(path));
}

int unlinkat(int at, const char* path, int flags) {
    REAL(unlinkat);
    PASS(OP_UNLINK, kind_at(at, path), real(at, path, flags));
}

int symlink(const char* target, const char* path) {
    REAL(symlink);
    PASS(OP_SYMLINK, kind_at(AT_FDCWD, path), real(target, path));
}

int symlinkat(const char* target, int at, const char* path) {
    REAL(symlinkat);
    PASS(OP_SYMLINK, kind_at(at, path), real(target, at, path));
}

int mkdir(const char* path, mode_t mode) {
    REAL(mkdir);
    PASS(OP_MKDIR, kind_at(AT_FDCWD, path), real(path, mode));
}

int mkdirat(int at, const char* path, mode_t mode) {
    REAL(mkdirat);
    PASS(OP_MKDIR, kind_at(at, path), real(at, path, mode));
}
