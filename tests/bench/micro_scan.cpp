// SPDX-License-Identifier: MIT
// How fast records are read: GB/s and ns a record, by one thread, from memory.
//
//   micro_scan FILE.jsonl [ROUNDS]     prints the best of ROUNDS (7) for each way of reading the file's lines
//   micro_scan --prompts [ROUNDS]      the same for long records: texts with escapes and long characters
//
// The bounds are memchr, which only finds the lines, and Boost.JSON's event parser, which only validates
// them. A file with spaces after its separators and one without tell what minifying costs.
#include "protocol/redaction.hpp"
#include "protocol/scan.hpp"
#include "protocol/secret_shapes.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <time.h>

namespace {

namespace json = boost::json;
using namespace livelogd::protocol;

/// Takes every event and keeps nothing.
struct verdict_only {
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);

    static bool on_document_begin(json::error_code&) { return true; }
    static bool on_document_end(json::error_code&) { return true; }
    static bool on_object_begin(json::error_code&) { return true; }
    static bool on_object_end(std::size_t, json::error_code&) { return true; }
    static bool on_array_begin(json::error_code&) { return true; }
    static bool on_array_end(std::size_t, json::error_code&) { return true; }
    static bool on_key_part(json::string_view, std::size_t, json::error_code&) { return true; }
    static bool on_key(json::string_view, std::size_t, json::error_code&) { return true; }
    static bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
    static bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
    static bool on_number_part(json::string_view, json::error_code&) { return true; }
    static bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
    static bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
    static bool on_double(double, json::string_view, json::error_code&) { return true; }
    static bool on_bool(bool, json::error_code&) { return true; }
    static bool on_null(json::error_code&) { return true; }
    static bool on_comment_part(json::string_view, json::error_code&) { return true; }
    static bool on_comment(json::string_view, json::error_code&) { return true; }
};

/// What this thread has had of a processor: others on the machine count less than on the clock.
double thread_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// The lines of `text`, without their LF, as a framer finds them.
template <class Take>
void for_each_line(std::string_view text, Take&& take) {
    while (!text.empty()) {
        const auto* const newline = static_cast<const char*>(std::memchr(text.data(), '\n', text.size()));
        const auto size = newline == nullptr ? text.size() : static_cast<std::size_t>(newline - text.data());
        take(text.substr(0, size));
        text.remove_prefix(std::min(size + 1, text.size()));
    }
}

class bench {
  public:
    bench(std::string text, int rounds) : text_(std::move(text)), rounds_(rounds) {
        for_each_line(text_, [this](std::string_view line) { lines_.push_back(line); });
    }

    void run() {
        std::printf("%zu records, %zu bytes each\n", lines_.size(),
                    text_.size() / std::max<std::size_t>(lines_.size(), 1));
        report("memchr, lines only", [this] {
            std::size_t sum = 0;
            for_each_line(text_, [&](std::string_view line) { sum += line.size(); });
            return sum;
        });
        report("Boost.JSON basic_parser", [this] { return with_boost(); });
        for (const scan_path path : available_scan_paths()) {
            record_scanner scanner(path);
            report(std::string(name(path)) + ", read", [&] { return read(scanner); });
            report(std::string(name(path)) + ", store", [&] { return store(scanner, nullptr); });
            const redaction_keys keys;
            report(std::string(name(path)) + ", store and redact", [&] { return store(scanner, &keys); });
            const secret_shapes secrets({}, anchor_path_beside(path));
            report(std::string(name(path)) + ", and secrets",
                   [&] { return store(scanner, &keys, {.secrets = &secrets}); });
        }
        const secret_shapes secrets;
        report("secrets alone", [&] { return seek(secrets); });
        std::printf("%llu secrets in all rounds\n", static_cast<unsigned long long>(secrets_));
    }

  private:
    static const char* name(scan_path path) {
        constexpr const char* names[] = {"portable", "sse2", "avx2"};
        return names[static_cast<std::size_t>(path)];
    }

    /// `job` returns something that depends on all it did.
    template <class Job>
    void report(const std::string& what, Job&& job) const {
        double best = 1e9;
        std::size_t result = 0;
        for (int round = 0; round < rounds_; ++round) {
            const double begin = thread_seconds();
            result = job();
            best = std::min(best, thread_seconds() - begin);
        }
        std::printf("%-26s %7.2f GB/s %8.1f ns a record   (%zu)\n", what.c_str(),
                    static_cast<double>(text_.size()) / best / 1e9,
                    best / static_cast<double>(lines_.size()) * 1e9, result);
    }

    std::size_t with_boost() const {
        json::basic_parser<verdict_only> parser{json::parse_options{}};
        std::size_t refused = 0;
        for (const std::string_view line : lines_) {
            json::error_code failed;
            parser.reset();
            parser.write_some(false, line.data(), line.size(), failed);
            if (failed) ++refused;
        }
        return refused;
    }

    std::size_t read(record_scanner& scanner) const {
        record_fields fields;
        std::size_t sum = 0;
        for (const std::string_view line : lines_) {
            if (scanner.scan_record(line, fields)) std::abort();
            sum += fields.type.text.size();
        }
        return sum;
    }

    /// In batches of about what one read from a socket brings.
    std::size_t store(record_scanner& scanner, const redaction_keys* keys, content_rules content = {}) {
        redaction_counts counts{};
        content.counts = &counts;
        constexpr std::size_t batch = 256 * 1024;
        digest_fields fields;
        std::string out;
        out.reserve(batch * 2);
        std::size_t sum = 0;
        for (const std::string_view line : lines_) {
            if (scanner.scan_record(
                    line,
                    {.redact = keys, .timestamp = "2025-06-26T10:30:45.000000+02:00", .content = content},
                    out, fields))
                std::abort();
            out += '\n';
            if (out.size() < batch) continue;
            sum += out.size();
            out.clear();
        }
        for (std::size_t i = 0; i < redacted_by_key; ++i)
            secrets_ += counts[i];
        return sum + out.size();
    }

    /// Only the look that every record is given.
    std::size_t seek(const secret_shapes& secrets) const {
        std::size_t traces = 0;
        for (const std::string_view line : lines_)
            if (secrets.first_trace(line, 0) < line.size()) ++traces;
        return traces;
    }

    static anchor_path anchor_path_beside(scan_path path) {
        return available_anchor_paths()[std::min(static_cast<std::size_t>(path),
                                                 available_anchor_paths().size() - 1)];
    }

    std::string text_;
    std::uint64_t secrets_ = 0;
    int rounds_;
    std::vector<std::string_view> lines_;
};

/// Chat logs: a prompt of some KiB with line feeds and quotes, an answer in two scripts.
std::string long_records() {
    std::string prompt;
    std::string answer;
    for (int i = 0; i < 60; ++i) {
        prompt +=
            "You are a careful assistant.\\nAnswer in one paragraph, and say \\\"unsure\\\" when you are. ";
        answer += i % 3 == 0
                      ? "\xC3\x9C"
                        "ber die Gr\xC3\xB6\xC3\x9F"
                        "e des Fensters wei\xC3\x9F ich nichts. "
                      : "\xE8\xAF\xB7\xE7\xAE\x80\xE7\x9F\xAD\xE5\x9B\x9E\xE7\xAD\x94\xE3\x80\x82\\n\\n";
    }
    const std::string record =
        R"({"timestamp":"2025-06-26T10:40:45.567316","level":"INFO","type":"request",)"
        R"("request_id":"req_1","request_body":{"model":"m","messages":[{"role":"user",)"
        R"("content":")"
        + prompt + R"("},{"role":"assistant","content":")" + answer + "\"}]}}\n";
    std::string text;
    while (text.size() < 64U * 1024 * 1024)
        text += record;
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: micro_scan FILE.jsonl|--prompts [ROUNDS]\n", stderr);
        return 64;
    }
    const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 7;
    if (std::string_view(argv[1]) == "--prompts") {
        bench(long_records(), rounds).run();
        return 0;
    }
    std::ifstream file(argv[1], std::ios::binary);
    if (!file) {
        std::perror(argv[1]);
        return 66;
    }
    bench(std::string(std::istreambuf_iterator<char>(file), {}), rounds).run();
    return 0;
}
