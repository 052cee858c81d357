// SPDX-License-Identifier: MIT
//
// By default glibc gives every batch back to the system when it is freed, and keeps an arena for each thread.
// Then a tenth of the work is page faults; and what one thread makes and another frees makes every arena keep
// as much as all need together. So there is one arena, and it keeps what it has.
//
// The first use of a page is a fault too, and the most expensive one in a virtual machine. With pages of 2
// MiB there are 512 times fewer of them. Where the system leaves it to programs ("madvise" in
// /sys/kernel/mm/transparent_hugepage/enabled) they must be asked for, for memory that is there: so the heap
// is made to grow once by all that it will need.
#include "daemon/app/heap.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace livelogd::app {
namespace {

constexpr int largest_kept = 4 << 20;  ///< bytes of an allocation
constexpr std::size_t huge_page = 2u << 20;

char* heap_end() {
    return static_cast<char*>(::sbrk(0));
}

void use_huge_pages(void* begin, std::size_t size) {
    if (std::align(huge_page, huge_page, begin, size) == nullptr) return;
    // An error means that there are none, which does no harm.
    ::madvise(begin, size, MADV_HUGEPAGE);
}

}  // namespace

void prepare_heap(std::size_t most) {
    constexpr std::size_t representable = std::numeric_limits<int>::max() / 2;
    const int reserve = static_cast<int>(std::min(most, representable));
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_MMAP_THRESHOLD, largest_kept);
    ::mallopt(M_TRIM_THRESHOLD, 2 * reserve);
    ::mallopt(M_TOP_PAD, reserve);
    char* const begin = heap_end();
    // More than is free at the end of the heap so far, so that it grows. Volatile, because compilers leave
    // out what is only allocated and freed.
    void* volatile block = std::malloc(largest_kept / 2);
    std::free(block);
    char* const end = heap_end();
    if (end > begin) use_huge_pages(begin, static_cast<std::size_t>(end - begin));
}

}  // namespace livelogd::app
