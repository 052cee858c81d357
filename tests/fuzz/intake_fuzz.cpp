// SPDX-License-Identifier: MIT
// The bytes of a sender in pieces of any size: what comes out are whole records, as many as lines came in,
// and the same however the bytes were split. The first bytes of the input choose the limit and the pieces.
#include "daemon/ingest/intake.hpp"
#include "tests/fuzz/credentials.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/strict_json.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace livelogd;
using fuzz::require;

/// What docs/ingest-protocol.md promises.
constexpr std::size_t deepest = 128;

const fuzz::json_value* last(const fuzz::json_value& record, std::string_view key) {
    const fuzz::json_value* found = nullptr;
    for (const auto& member : record.members) {
        if (member.key == key) found = &member.value;
    }
    return found;
}

bool is_api_call(const fuzz::json_value& record) {
    const auto* type = last(record, "type");
    if (type == nullptr || type->kind != '"') return false;
    const auto name = fuzz::strict_json::decoded(type->raw);
    return name == "request" || name == "response";
}

struct outcome {
    std::vector<std::string> lines;  ///< without the time that the daemon put into them
    std::uint64_t records = 0;
    std::uint64_t malformed = 0;
    std::uint64_t dropped_calls = 0;
    friend bool operator==(const outcome&, const outcome&) = default;
};

/// A timestamp at the front may be the daemon's own: it is left out.
std::string timeless(std::string_view line) {
    constexpr std::string_view front = "{\"timestamp\":\"";
    if (!line.starts_with(front)) return std::string(line);
    const auto end = line.find('"', front.size());
    return std::string(front) + std::string(line.substr(end));
}

class sender {
  public:
    sender(std::size_t limit, const ingest::policy& rules) : rules_(rules), intake_(limit, count_) {}

    void sends(std::string_view bytes) { intake_.feed(bytes, rules_, batch_); }
    void is_given_up() { intake_.abandon("given up", rules_, batch_); }
    [[nodiscard]] bool has_partial_line() const { return intake_.has_partial_line(); }

    outcome ends() {
        intake_.finish(rules_, batch_);
        require(intake_.held_bytes() == 0, "nothing is held after the end");
        outcome result{{}, batch_.records.size(), count_.malformed, count_.dropped_by_configuration};
        require(count_.lines == result.records + result.dropped_calls, "each line is counted");
        std::string_view rest = batch_.lines;
        for (const auto& record : batch_.records) {
            require(record.size > 0 && record.size <= rest.size() && rest[record.size - 1] == '\n',
                    "a record ends with its line");
            const auto line = rest.substr(0, record.size - 1);
            require(line.find_first_of("\r\n") == std::string_view::npos, "a record is one line");
            const auto read = fuzz::strict_json::object(line, deepest);
            require(read && !read->members.empty(), "a record is an object");
            require(last(*read, "timestamp") != nullptr, "a record has a time");
            result.lines.push_back(timeless(line));
            rest.remove_prefix(record.size);
        }
        require(rest.empty(), "there is nothing between the records");
        return result;
    }

  private:
    const ingest::policy& rules_;
    ingest::counters count_;
    ingest::intake intake_;
    storage::record_batch batch_;
};

/// What the lines of `stream` should become.
outcome expected(std::string_view stream, std::size_t limit, const ingest::policy& rules) {
    outcome result;
    while (!stream.empty()) {
        const auto end = std::min(stream.find('\n'), stream.size());
        std::string_view line = stream.substr(0, end);
        stream.remove_prefix(std::min(end + 1, stream.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.size() <= limit) {
            if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
            if (const auto record = fuzz::strict_json::object(line, deepest)) {
                if (!rules.log_api_calls && is_api_call(*record)) {
                    ++result.dropped_calls;
                    continue;
                }
                ++result.records;
                result.lines.push_back(
                    timeless(fuzz::stored_record::of(*record, "", fuzz::names_a_credential)));
                continue;
            }
        }
        ++result.records;
        ++result.malformed;
        result.lines.emplace_back();
    }
    return result;
}

std::uint64_t lines_with_text(std::string_view stream) {
    std::uint64_t count = 0;
    while (!stream.empty()) {
        const auto end = std::min(stream.find('\n'), stream.size());
        if (stream.substr(0, end).find_first_not_of(" \t\r") != std::string_view::npos) ++count;
        stream.remove_prefix(std::min(end + 1, stream.size()));
    }
    return count;
}

void compare(const outcome& seen, const outcome& wanted) {
    require(seen.records == wanted.records && seen.malformed == wanted.malformed
                && seen.dropped_calls == wanted.dropped_calls,
            "every line is accounted for");
    for (std::size_t i = 0; i < wanted.lines.size(); ++i) {
        if (!wanted.lines[i].empty()) {
            require(seen.lines[i] == wanted.lines[i], "a record is stored as sent");
            continue;
        }
        require(seen.lines[i].find(R"("module":"livelogd","type":"malformed")") != std::string::npos,
                "a line that is no record is told as such");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const ingest::policy all{.redact = {}, .zone = base::time_zone::named("UTC")};
    static const ingest::policy no_calls{
        .redact = {}, .log_api_calls = false, .zone = base::time_zone::named("UTC")};
    if (size < 4) return 0;
    const std::string input(reinterpret_cast<const char*>(data), size);
    const std::string_view stream = std::string_view(input).substr(4);
    const std::size_t limit = 1U + data[0] * 8U;
    const ingest::policy& rules = data[1] % 2 == 0 ? all : no_calls;

    sender whole(limit, rules);
    whole.sends(stream);
    const outcome at_once = whole.ends();
    compare(at_once, expected(stream, limit, rules));

    sender pieces(limit, rules);
    sender given_up(limit, rules);
    std::size_t number = 0;
    std::uint64_t abandoned = 0;
    for (std::string_view rest = stream; !rest.empty(); ++number) {
        const std::size_t step = std::min<std::size_t>(1U + data[2 + number % 2], rest.size());
        pieces.sends(rest.substr(0, step));
        given_up.sends(rest.substr(0, step));
        if (number % 4 == data[1] / 2 % 4U) {
            abandoned += given_up.has_partial_line() ? 1 : 0;
            given_up.is_given_up();
            require(!given_up.has_partial_line(), "what is given up is gone");
        }
        rest.remove_prefix(step);
    }
    require(pieces.ends() == at_once, "the split does not matter");
    const outcome after_giving_up = given_up.ends();
    // Of a line of blanks that is too long, the beginning may be given up before it is.
    const auto lines = after_giving_up.records + after_giving_up.dropped_calls;
    require(lines <= at_once.records + at_once.dropped_calls, "a line that is given up is told once");
    require(lines >= lines_with_text(stream), "no line is forgotten");
    require(after_giving_up.malformed <= at_once.malformed + abandoned, "others are not touched");
    return 0;
}
