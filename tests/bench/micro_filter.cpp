// SPDX-License-Identifier: MIT
// What filters cost: live, where the fields of a record are known already, and in a search, where the sieve
// goes through whole blocks first.
//
//   micro_filter --file=RECORDS
#include "daemon/filter/record_filter.hpp"
#include "protocol/scan.hpp"
#include "tests/bench/micro.hpp"

namespace {

using livelogd::filter::filter_words;
using livelogd::filter::record_filter;
using livelogd::filter::record_view;

struct question {
    const char* name;
    filter_words words;
};

std::vector<question> questions() {
    return {
        {"type=errors", {.type = {"errors"}}},
        {"level=warning", {.level = {"warning"}}},
        {"endpoint=/api/generate", {.endpoint = {"/api/generate"}}},
        {"status=5xx", {.status = {"5xx"}}},
        {"search: found in none", {.search = {"not to be found"}}},
        {"search: found in many", {.search = {"attention"}}},
        {"q: duration_ms>2000", {.q = {"duration_ms>2000"}}},
        {"q: model:llama* -timeout", {.q = {"model:llama* -timeout"}}},
        {"q: /second.*window/", {.q = {"/second.*window/"}}},
    };
}

constexpr std::size_t block_bytes = 256u << 10;

/// Whole lines, of about block_bytes.
std::vector<std::string_view> blocks_of(std::string_view text) {
    std::vector<std::string_view> blocks;
    while (!text.empty()) {
        const auto end = text.find('\n', std::min(block_bytes, text.size() - 1));
        blocks.push_back(text.substr(0, end == text.npos ? end : end + 1));
        text.remove_prefix(blocks.back().size());
    }
    return blocks;
}

void compare(const bench::options& o) {
    const bench::lines_of_file records(o.needed("file"));
    std::vector<record_view> views;
    livelogd::protocol::record_scanner scanner;
    livelogd::protocol::record_fields fields;
    for (const auto line : records.lines) {
        if (scanner.scan_record(line, fields)) throw std::runtime_error("not a record: " + std::string(line));
        views.push_back({.line = line, .digest = livelogd::protocol::record_digest::of(line, fields)});
    }
    const auto blocks = blocks_of(records.text);
    const auto zone = livelogd::base::time_zone::named("UTC");
    for (const auto& [name, words] : questions()) {
        const record_filter filter(words, 1'750'000'000'000'000, zone);
        const std::size_t bytes = filter.needs_line() ? records.text.size() : 0;
        bench::measure(std::string("matches, ") + name, views.size(), bytes, [&] {
            std::size_t found = 0;
            for (const auto& view : views)
                found += filter.matches(view) ? 1u : 0u;
            bench::use(found);
        });
        if (filter.sieve().leaves_all()) continue;
        bench::measure(std::string("sieve, ") + name, views.size(), records.text.size(), [&] {
            std::vector<livelogd::filter::line_place> left;
            for (const auto block : blocks)
                filter.sieve().pick(block, left);
            bench::use(left);
        });
    }
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, compare);
}
