// SPDX-License-Identifier: MIT
// Making summaries of a segment, and answering `stats` from them and without.
//
//   micro_summary --file=RECORDS
#include "daemon/query/stats.hpp"
#include "daemon/storage/segment_name.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "daemon/summary/summary_builder.hpp"
#include "daemon/summary/summary_file.hpp"
#include "tests/bench/micro.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>

namespace {

using livelogd::storage::log_snapshot;

constexpr livelogd::protocol::record_id first_id = 1'764'012'345'678'901u;

/// The file as a log of one sealed segment.
log_snapshot log_of(const bench::lines_of_file& records, const std::filesystem::path& folder,
                    const std::string& file) {
    std::filesystem::copy_file(file, folder / livelogd::storage::segment_name(first_id));
    const auto next = first_id + records.lines.size();
    std::ofstream(folder / livelogd::storage::segment_name(next)).flush();
    log_snapshot snapshot;
    snapshot.directory = folder;
    snapshot.sealed = std::make_shared<const std::vector<livelogd::storage::segment_info>>(
        1, livelogd::storage::segment_info{.first_id = first_id, .bytes = records.text.size()});
    snapshot.active.first_id = snapshot.next_id = next;
    return snapshot;
}

void compare(const bench::options& o) {
    const auto file = o.needed("file");
    const bench::lines_of_file records(file);
    const livelogd::test::temp_dir folder;
    const auto snapshot = log_of(records, folder.path(), file);
    const auto zone = livelogd::base::time_zone::named("UTC");
    const auto fd = livelogd::storage::open_segment(snapshot, 0);

    livelogd::summary::summaries known(true, zone);
    bench::measure("a summary, of each record", records.lines.size(), records.text.size(), [&] {
        livelogd::summary::summary_builder built(first_id, zone);
        if (!built.extend(fd.get(), records.text.size(), true, {}))
            throw std::runtime_error("the segment is short");
        const auto subject = known.subject_of(first_id, fd.get());
        if (!livelogd::summary::write_summary(snapshot.directory, subject, built))
            throw std::runtime_error("no summary has been written");
    });

    livelogd::query::stats_request request;
    request.now_us = 1'750'000'000'000'000;  // where make_records ends unless told otherwise
    const auto ask = [&](livelogd::summary::summaries* from) {
        bench::use(livelogd::query::stats_answer(snapshot, request, zone, {}, {.summaries = from}));
    };
    bench::measure("stats without summaries, of each record", records.lines.size(), records.text.size(),
                   [&] { ask(nullptr); });
    bench::measure("stats with summaries, the answer", 1, 0, [&] { ask(&known); });
    request.buckets = 60;
    bench::measure("stats with 60 buckets, the answer", 1, 0, [&] { ask(&known); });
    request.hours = 0.4;
    bench::measure("stats of a window that begins inside, the answer", 1, 0, [&] { ask(&known); });
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, compare);
}
