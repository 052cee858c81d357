// SPDX-License-Identifier: MIT
// A log made by hand: segments with any bytes a test wants in them.
#pragma once

#include "daemon/query/history.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/segment_name.hpp"
#include "protocol/record_id.hpp"
#include "tests/support/filters.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace livelogd::query::test {

/// Lives in a folder of its own, which goes with it.
class test_log {
  public:
    static constexpr protocol::record_id first_id = 1000;

    test_log() {
        snapshot_.directory = folder_.path();
        snapshot_.active.first_id = first_id;
        snapshot_.next_id = first_id;
    }
    test_log(const test_log&) = delete;
    test_log& operator=(const test_log&) = delete;

    /// Lines of the active segment.
    test_log& append(const std::vector<std::string>& lines) {
        std::ofstream file(path(snapshot_.active.first_id), std::ios::app | std::ios::binary);
        for (const std::string& line : lines) {
            file << line << '\n';
            snapshot_.active.bytes += line.size() + 1;
            ++snapshot_.next_id;
        }
        return *this;
    }

    /// What is appended from now on goes into a new segment, whose ids begin `jump` later than they need.
    test_log& seal(protocol::record_id jump = 0) {
        sealed_.push_back(snapshot_.active);
        snapshot_.next_id += jump;
        snapshot_.active = {.first_id = snapshot_.next_id, .bytes = 0};
        return *this;
    }

    [[nodiscard]] storage::log_snapshot snapshot() const {
        storage::log_snapshot copy = snapshot_;
        copy.sealed = std::make_shared<const std::vector<storage::segment_info>>(sealed_);
        return copy;
    }

    /// The file of segment number `i`.
    [[nodiscard]] std::filesystem::path file(std::size_t i) const {
        return path(snapshot().segment(i).first_id);
    }

  private:
    [[nodiscard]] std::filesystem::path path(protocol::record_id id) const {
        return folder_.path() / storage::segment_name(id);
    }

    livelogd::test::temp_dir folder_;
    std::vector<storage::segment_info> sealed_;
    storage::log_snapshot snapshot_;
};

inline const base::time_zone utc = base::time_zone::named("UTC");

/// All pieces of an answer to this request.
inline std::vector<std::string> history_pieces(const storage::log_snapshot& snapshot,
                                               const history_request& request) {
    storage::line_counts lines;
    history_answer answer(snapshot, request, {.lines = lines, .zone = utc});
    std::vector<std::string> pieces;
    for (bool more = true; more;)
        more = answer.next(pieces.emplace_back());
    return pieces;
}

inline std::string history(const storage::log_snapshot& snapshot, const history_request& request) {
    std::string whole;
    for (const std::string& piece : history_pieces(snapshot, request))
        whole += piece;
    return whole;
}

/// The newest `lines` records of these types.
inline std::string recent(const storage::log_snapshot& snapshot, std::size_t lines,
                          const std::vector<std::string>& types = {}) {
    return history(snapshot, {.filter = livelogd::test::filter_of_types(types), .lines = lines});
}

}  // namespace livelogd::query::test
