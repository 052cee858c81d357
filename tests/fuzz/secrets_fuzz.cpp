// SPDX-License-Identifier: MIT
// Redaction by form and the shortening of bodies: what is stored stays JSON of the same shape, no secret that
// a plain look at the decoded strings sees is left, and nothing is changed that is none.
#include "protocol/bodies.hpp"
#include "protocol/limits.hpp"
#include "protocol/malformed.hpp"
#include "protocol/scan.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/strict_json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace livelogd::fuzz;
using namespace livelogd::protocol;

constexpr std::size_t deepest = max_nesting;

std::vector<secret_span> secrets_in(const secret_shapes& shapes, std::string_view text) {
    std::vector<secret_span> spans;
    shapes.find(text, spans);
    std::size_t end = 0;
    for (const secret_span& one : spans) {
        require(one.begin >= end && one.begin < one.end && one.end <= text.size(), "spans are in order");
        end = one.end;
    }
    return spans;
}

/// Text that find() has been through, and every finder.
void check_finders(std::string_view text) {
    static const std::vector<secret_shapes> all = [] {
        std::vector<secret_shapes> shapes;
        for (const anchor_path path : available_anchor_paths())
            shapes.emplace_back(std::vector<std::string>{}, path);
        return shapes;
    }();
    const auto expected = secrets_in(all.front(), text);
    const std::size_t trace = all.front().first_trace(text, 0);
    for (const secret_shapes& shapes : all) {
        const auto found = secrets_in(shapes, text);
        require(found.size() == expected.size(), "every finder leads to the same secrets");
        for (std::size_t i = 0; i < found.size(); ++i)
            require(found[i].begin == expected[i].begin && found[i].end == expected[i].end,
                    "at the same places");
        require(shapes.first_trace(text, 0) == trace, "and to the same trace");
    }
}

/// `sent` and `stored` differ in strings alone, and these only where a secret was. Counts the changed ones.
class comparison {
  public:
    explicit comparison(const secret_shapes& shapes) : shapes_(shapes) {}

    void compare(const json_value& sent, const json_value& stored) {
        require(sent.kind == stored.kind, "the kind stays");
        if (sent.kind == '"') {
            strings(sent.raw, stored.raw);
        } else if (sent.kind != '{' && sent.kind != '[') {
            require(sent.raw == stored.raw, "what is no string stays");
        }
        require(
            sent.members.size() == stored.members.size() && sent.elements.size() == stored.elements.size(),
            "nothing goes and nothing comes");
        for (std::size_t i = 0; i < sent.members.size(); ++i) {
            strings(sent.members[i].raw_key, stored.members[i].raw_key);
            compare(sent.members[i].value, stored.members[i].value);
        }
        for (std::size_t i = 0; i < sent.elements.size(); ++i)
            compare(sent.elements[i], stored.elements[i]);
    }

    std::uint64_t changed = 0;

  private:
    void strings(std::string_view sent, std::string_view stored) {
        const std::string plain = strict_json::decoded(sent);
        const auto secrets = secrets_in(shapes_, plain);
        if (sent == stored) {
            require(secrets.empty(), "a secret that can be read is redacted");
            return;
        }
        ++changed;
        require(stored.find(redacted_text) != std::string_view::npos, "what changes is redacted");
        // What stands before the first secret that is seen at once stays, or has one itself, seen only when
        // it is decoded once more.
        const std::string kept = strict_json::decoded(stored);
        if (secrets.empty() || plain.find('\\') != std::string::npos) return;
        std::string expected;
        std::size_t from = 0;
        for (const secret_span& one : secrets) {
            expected.append(plain, from, one.begin - from).append(redacted_text);
            from = one.end;
        }
        expected.append(plain, from);
        require(kept == expected, "the secret goes, and nothing else");
    }

    const secret_shapes& shapes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const secret_shapes shapes;
    static record_scanner scanner;
    if (size == 0) return 0;
    const std::uint8_t choice = data[0];
    const std::string copy(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::string_view line = copy;
    check_finders(line);

    record_fields fields;
    redaction_counts counts{};
    std::string stored;
    const auto error = scanner.scan_record(
        line, {.redact = nullptr, .timestamp = "T", .content = {.secrets = &shapes, .counts = &counts}},
        stored, fields);
    if (error) {
        require(!error->reason.starts_with("cannot be redacted"), "what was a record stays one");
        static const redaction_keys keys;
        const std::string record = make_malformed_record(error->reason, line, line.size() + choice % 2, keys,
                                                         "T", {.secrets = &shapes, .counts = &counts});
        const auto told = strict_json::object(record, deepest);
        require(told.has_value(), "a malformed line's record is a record");
        for (const json_member& member : told->members)
            if (member.key == "raw")
                require(secrets_in(shapes, strict_json::decoded(member.value.raw)).empty(),
                        "without secrets");
        return 0;
    }
    std::string plain;
    require(!scanner.scan_record(line, {.timestamp = "T"}, plain, fields), "one verdict");
    const auto sent = strict_json::object(plain, deepest);
    const auto kept = strict_json::object(stored, deepest);
    require(sent && kept, "it is JSON before and after");
    comparison difference(shapes);
    difference.compare(*sent, *kept);
    std::uint64_t counted = 0;
    for (const std::uint64_t one : counts)
        counted += one;
    require((difference.changed == 0) == (counted == 0) && counted >= difference.changed, "all are counted");

    const body_rules bodies{.how = choice % 2 == 0 ? body_logging::off : body_logging::truncated,
                            .limit = std::size_t{16} + choice / 4};
    std::string less;
    require(!scanner.scan_record(plain, {.timestamp = "T", .content = {.bodies = &bodies}}, less, fields),
            "without bodies it is a record");
    require(strict_json::object(less, deepest + 2).has_value(), "so says the second reader");
    require(less.size() <= plain.size() * 4 + 64 * 1024, "what is told of sizes is bounded");
    return 0;
}
