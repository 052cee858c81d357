// SPDX-License-Identifier: MIT
// Random logs, parts of which have summaries.
#pragma once

#include "daemon/storage/line_ends.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "daemon/summary/summaries.hpp"
#include "daemon/summary/summary_builder.hpp"
#include "daemon/summary/summary_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/test_log.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace livelogd::query::test {

inline constexpr std::int64_t noon_us = 1'750'939'200'000'000;  // 2025-06-26T12:00:00Z
inline constexpr std::int64_t span_us = 4 * 3600 * std::int64_t{1'000'000};
inline constexpr std::uint64_t page_size = 1500;  // a handful of records

/// Lines of all sorts, in the four hours before noon.
class log_maker {
  public:
    explicit log_maker(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t limit) { return random_() % limit; }

    std::string pick(std::initializer_list<const char*> values) {
        return *(values.begin() + static_cast<std::ptrdiff_t>(below(values.size())));
    }

    std::string line() {
        if (below(40) == 0) return pick({"broken", "{\"type\":\"response\"", "[1]"});
        std::string text = "{\"timestamp\":" + timestamp();
        const auto id = std::to_string(below(12));
        switch (below(4)) {
            case 0:
                text += R"(,"type":"request","request_id":)" + quoted_or_not(id) + R"(,"endpoint":"e)" + id
                        + "\"";
                if (below(2) == 0)
                    text += R"(,"request_body":{"model":"m)" + std::to_string(below(3)) + "\"}";
                break;
            case 1:
            case 2:
                text += R"(,"type":"response","status_code":)" + pick({"200", "404", "500", "null"});
                if (below(8) != 0) text += ",\"request_id\":" + quoted_or_not(id);
                text += ",\"duration_ms\":" + pick({"12.50", "3", "1e3", "-1", "null", "0.125", "77777.7"});
                text += ",\"response_body\":{" + answer() + "}";
                break;
            default:
                text += R"(,"level":)" + pick({R"("ERROR")", R"("INFO")", R"("WARNING")"});
                text += R"(,"error_type":)" + pick({R"("ValueError")", R"("x\"y")", "null"});
        }
        return text + "}";
    }

  private:
    std::string quoted_or_not(const std::string& id) { return below(3) == 0 ? id : "\"r" + id + "\""; }

    std::string answer() {
        switch (below(4)) {
            case 0:
                return R"("model":"m1","usage":{"prompt_tokens":12,"completion_tokens":34}})"
                       + std::string(",\"x\":{");
            case 1:
                return R"("prompt_eval_count":7,"prompt_eval_duration":5000000,"eval_count":9,"eval_duration":90000000)";
            default:
                return R"("response":"hello")";
        }
    }

    std::string timestamp() {
        if (below(15) == 0) return pick({"null", R"("yesterday")", "17"});
        last_us_ += static_cast<std::int64_t>(below(40'000'000));
        const auto us = below(10) == 0 ? last_us_ - static_cast<std::int64_t>(below(600'000'000)) : last_us_;
        const std::time_t seconds = us / 1'000'000;
        std::tm wall{};
        ::gmtime_r(&seconds, &wall);
        std::array<char, 64> date{};
        std::array<char, 96> text{};
        std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &wall);
        std::snprintf(text.data(), text.size(), "\"%s.%06d\"", date.data(), static_cast<int>(us % 1'000'000));
        return text.data();
    }

    std::mt19937_64 random_;
    std::int64_t last_us_ = noon_us - span_us;
};

/// Writes the summaries that the keeper would have by now: of all sealed segments but perhaps one, and of a
/// part of the one that grows.
inline void summarise(const test_log& log, summary::summaries& known, log_maker& random) {
    const auto snapshot = log.snapshot();
    for (std::size_t i = 0; i < snapshot.segment_count(); ++i) {
        const bool sealed = i < snapshot.sealed->size();
        const auto& segment = snapshot.segment(i);
        const auto fd = storage::open_segment(snapshot, i);
        if (!fd || random.below(7) == 0) continue;
        summary::summary_builder built(segment.first_id, utc, page_size);
        // In two steps, as it grows: the first ends with any whole line.
        const auto half = storage::offset_of_line(fd.get(), 0, segment.bytes, random.below(40));
        REQUIRE(built.extend(fd.get(), half, false, {}));
        REQUIRE(built.extend(fd.get(), segment.bytes, sealed, {}));
        const auto subject = known.subject_of(segment.first_id, fd.get());
        if (sealed) {
            REQUIRE(summary::write_summary(snapshot.directory, subject, built));
        } else {
            known.publish(segment.first_id, subject.segment.inode, built.so_far());
        }
    }
}

/// Up to four sealed segments and one that grows.
inline void fill(test_log& log, log_maker& random) {
    for (std::size_t segments = random.below(5);; --segments) {
        std::vector<std::string> lines(random.below(60));
        for (auto& line : lines)
            line = random.line();
        log.append(lines);
        if (segments == 0) return;
        log.seal(random.below(3));
    }
}

}  // namespace livelogd::query::test
