// SPDX-License-Identifier: MIT
// The bound of searches: reads the files of a folder and looks for a text in them, or for line ends alone.
// One thread.
//
//   bare_scan --folder=DIR [--text=TEXT] [--runs=5]
//
// Prints one line of JSON: bytes of *.jsonl, how often the text occurs, and the best run's seconds.
#include "tests/bench/support.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <vector>

namespace {

std::uint64_t occurrences(std::string_view block, std::string_view text) {
    std::uint64_t found = 0;
    while (const void* at = ::memmem(block.data(), block.size(), text.data(), text.size())) {
        ++found;
        block.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(at) - block.data())
                            + text.size());
    }
    return found;
}

void scan(const bench::options& o) {
    const auto text = o.text("text", "\n");
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(o.needed("folder")))
        if (entry.path().extension() == ".jsonl" && !entry.is_symlink()) files.push_back(entry.path());

    std::vector<char> block(256u << 10);
    std::uint64_t bytes = 0;
    std::uint64_t found = 0;
    auto best = std::numeric_limits<std::uint64_t>::max();
    for (auto run = o.number("runs", 5); run > 0; --run) {
        const auto begun = bench::now_ns();
        bytes = found = 0;
        for (const auto& file : files) {
            const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
            bench::require(fd >= 0, file);
            // What stands across two blocks is not found: of a bound it is only asked how long it takes.
            for (ssize_t n = 0; (n = ::read(fd, block.data(), block.size())) > 0;) {
                bytes += static_cast<std::uint64_t>(n);
                found += occurrences({block.data(), static_cast<std::size_t>(n)}, text);
            }
            ::close(fd);
        }
        best = std::min(best, bench::now_ns() - begun);
    }
    std::printf("{\"bytes\":%llu,\"found\":%llu,\"seconds\":%.6f}\n", static_cast<unsigned long long>(bytes),
                static_cast<unsigned long long>(found), bench::seconds(best));
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, scan);
}
