// SPDX-License-Identifier: MIT
// Encoding records as events, a record at a time, against copying the same bytes.
//
//   micro_sse --file=RECORDS
#include "protocol/sse.hpp"
#include "tests/bench/micro.hpp"

namespace {

constexpr std::size_t batch = 400;  // records of one read, about

void compare(const bench::options& o) {
    const bench::lines_of_file records(o.needed("file"));
    std::string out;
    const auto encode = [&](auto append) {
        for (std::size_t i = 0; i < records.lines.size(); ++i) {
            if (i % batch == 0) out.clear();
            append(i);
        }
        bench::use(out);
    };
    bench::measure("an event of each record", records.lines.size(), records.text.size(), [&] {
        encode([&](std::size_t i) {
            livelogd::protocol::sse::append_record(out, 1'764'012'345'678'901u + i, records.lines[i]);
        });
    });
    bench::measure("a copy of each record", records.lines.size(), records.text.size(),
                   [&] { encode([&](std::size_t i) { out += records.lines[i]; }); });
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, compare);
}
