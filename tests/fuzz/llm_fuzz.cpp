// SPDX-License-Identifier: MIT
// Any record: what it says about a model server is read without harm, keeps to its limits, and is the same
// for the line as it was sent and as it is stored.
#include "protocol/llm_fields.hpp"
#include "protocol/scan.hpp"
#include "protocol/text.hpp"
#include "tests/fuzz/require.hpp"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace {

using namespace livelogd::protocol;
using livelogd::fuzz::require;

auto all_of(const llm_fields& f) {
    return std::tie(f.asked_model, f.answered_model, f.finish_reason, f.input_tokens, f.cached_tokens,
                    f.output_tokens, f.reasoning_tokens, f.prefill_tokens, f.decode_tokens, f.queue_ns,
                    f.load_ns, f.prefill_ns, f.decode_ns, f.first_token_ns);
}

void check_limits(const llm_fields& fields) {
    // Input is the sum of at most three counts.
    constexpr std::uint64_t most_tokens = 3 * ((std::uint64_t{1} << 53) - 1);
    for (const auto& tokens : {fields.input_tokens, fields.cached_tokens, fields.output_tokens,
                               fields.reasoning_tokens, fields.prefill_tokens, fields.decode_tokens})
        require(!tokens || *tokens <= most_tokens, "no count is beyond what was read");
    for (const auto& ns :
         {fields.queue_ns, fields.load_ns, fields.prefill_ns, fields.decode_ns, fields.first_token_ns})
        require(!ns || *ns <= std::numeric_limits<std::int64_t>::max(), "no time is beyond 2^63 - 1 ns");
    require(!fields.prefill_tokens || fields.prefill_ns, "prefill tokens go with a time");
    require(!fields.decode_tokens || fields.decode_ns, "decode tokens go with a time");
    require(!fields.decode_ns || !fields.output_tokens || fields.decode_tokens,
            "known tokens go with the time");
    for (const std::string& text : {fields.asked_model, fields.answered_model, fields.finish_reason})
        require(valid_utf8_prefix(text) == text.size(), "texts are UTF-8");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const redaction_keys no_keys{std::span<const std::string_view>{}};
    static record_scanner scanner;
    // A buffer of exactly this size: reading beyond its end is seen.
    const std::string sent(reinterpret_cast<const char*>(data), size);
    digest_fields noted;
    std::string stored;
    if (scanner.scan_record(sent, {.redact = &no_keys, .timestamp = "T"}, stored, noted)) return 0;

    const llm_fields fields = read_llm_fields(sent);
    check_limits(fields);
    require(all_of(read_llm_fields(stored)) == all_of(fields), "white space and a timestamp change nothing");
    record_fields scanned;
    for (const std::string& line : {sent, stored}) {
        require(!scanner.scan_record(line, scanned), "one verdict");
        require(all_of(read_llm_fields(line, scanned)) == all_of(fields),
                "what the scan found says the same");
    }
    const llm_models models = read_llm_models(sent);
    require(models.asked == fields.asked_model && models.answered == fields.answered_model,
            "the models alone are the same models");
    return 0;
}
