// SPDX-License-Identifier: MIT
#include "protocol/scan.hpp"

#include "protocol/record_pass.hpp"
#include "protocol/scan_fault.hpp"

namespace livelogd::protocol {
namespace {

/// A longer key is not worth the memory after its record.
constexpr std::size_t kept_key_capacity = 4096;

const char* first_not_blank(const char* p, const char* end) {
    while (p != end && is_json_blank(*p))
        ++p;
    return p;
}

/// Where the first byte stands that is no white space.
std::size_t begin_of(std::string_view line) {
    return static_cast<std::size_t>(first_not_blank(line.data(), line.data() + line.size()) - line.data());
}

const char* without_last_blanks(const char* begin, const char* end) {
    while (end != begin && is_json_blank(end[-1]))
        --end;
    return end;
}

const char* read_record(pass_state& state) {
    return record_pass<false>(state).record();
}

const char* store_record(pass_state& state) {
    return record_pass<true>(state).record();
}

const char* read_value(pass_state& state) {
    return record_pass<false>(state).any_value();
}

using pass = const char* (*)(pass_state&);

/// What is wrong with a line that begins like a record, but does not end like one. With a brace behind it the
/// pass stops where it ceases to be one.
template <pass read>
[[gnu::cold]] scan_error explain_end(std::string_view line, std::size_t begin, pass_state& state) {
    std::string closed(line.substr(begin));
    closed += '}';
    state.begin = closed.data();
    state.end = closed.data() + closed.size();
    if (state.output != nullptr) state.output->begin(state.begin, state.end);
    const char* const after = read(state);
    if (after == nullptr)
        return explain_fault(line, begin + static_cast<std::size_t>(state.stopped - state.begin),
                             state.fault);
    const auto rest = begin + static_cast<std::size_t>(first_not_blank(after, state.end) - closed.data());
    if (rest >= line.size()) return scan_error{line.size(), "unexpected end of the line"};
    return scan_error{rest, "more text after the object"};
}

/// The same for one that ends like one.
[[gnu::cold]] scan_error explain_stop(std::string_view line, const char* after, const pass_state& state) {
    if (after == nullptr)
        return explain_fault(line, static_cast<std::size_t>(state.stopped - line.data()), state.fault);
    after = first_not_blank(after, state.end);
    return scan_error{static_cast<std::size_t>(after - line.data()), "more text after the object"};
}

/// Goes over a line that begins like a record. `state`: all but the place.
template <pass read>
std::optional<scan_error> run(std::string_view line, std::size_t begin, pass_state& state) {
    const char* const first = line.data() + begin;
    state.begin = first;
    state.end = without_last_blanks(first, line.data() + line.size());
    if (state.end[-1] != '}') return explain_end<read>(line, begin, state);
    const char* const after = read(state);
    if (after == state.end) return std::nullopt;
    return explain_stop(line, after, state);
}

/// What stands where a record has no timestamp. `empty`: whether it has no other member either.
void append_timestamp(std::string& out, std::string_view characters, bool empty) {
    out += "{\"timestamp\":\"";
    out += characters;
    out += empty ? "\"" : "\",";
}

}  // namespace

record_scanner::record_scanner(scan_path path) : find_(finder_of(path)) {}

void record_scanner::forget() {
    if (key_.capacity() > kept_key_capacity) std::string().swap(key_);
    output_.forget();
    rewriter_.forget();
}

std::optional<scan_error> record_scanner::scan_record(std::string_view line, record_fields& fields) {
    const std::size_t begin = begin_of(line);
    pass_state state;
    state.find = find_;
    state.key_buffer = &key_;
    fields.llm.clear();
    state.llm = &fields.llm;
    auto error = begin == line.size() || line[begin] != '{' ? explain_beginning(line, begin)
                                                            : run<read_record>(line, begin, state);
    forget();
    if (error) {
        fields = {};
    } else {
        state.found.put_into(fields, line.data() + begin);
    }
    return error;
}

std::optional<scan_error> record_scanner::scan_record(std::string_view line, const intake_rules& rules,
                                                      std::string& out, digest_fields& fields) {
    fields = {};
    const std::size_t begin = begin_of(line);
    if (begin == line.size() || line[begin] != '{') return explain_beginning(line, begin);
    pass_state state;
    state.redact = rules.redact;
    state.find = find_;
    state.key_buffer = &key_;
    state.output = &output_;
    output_.begin(line.data() + begin, line.data() + line.size());
    if (auto error = run<store_record>(line, begin, state)) {
        forget();
        return error;
    }
    std::string_view record = output_.finish(state.end);
    if (state.redacted > 0 && rules.content.counts != nullptr)
        (*rules.content.counts)[redacted_by_key] += state.redacted;
    if (const auto changed = rewriter_.rewrite(record, rules.content); changed.data() != record.data()) {
        record = changed;
        // Its fields have moved.
        few_members unused;
        pass_state again;
        again.find = find_;
        again.key_buffer = &key_;
        again.llm = &unused;
        if (const auto error = run<read_record>(record, 0, again)) {
            forget();
            return scan_error{0, "cannot be redacted: " + error->reason};
        }
        state.found = again.found;
    }
    if (!state.found.has(slot::timestamp)) {
        append_timestamp(out, rules.timestamp, record == "{}");
        record.remove_prefix(1);
        // What was found is counted from a brace that stands there no more.
        const std::size_t brace = out.size() - 1;
        out += record;
        state.found.put_into(fields, out.data() + brace);
    } else {
        const std::size_t brace = out.size();
        out += record;
        state.found.put_into(fields, out.data() + brace);
    }
    forget();
    return std::nullopt;
}

bool is_json(std::string_view text) {
    const char* const first = first_not_blank(text.data(), text.data() + text.size());
    const char* const last = without_last_blanks(first, text.data() + text.size());
    if (first == last) return false;
    pass_state state;
    state.find = finder_of(available_scan_paths().back());
    state.begin = first;
    state.end = last;
    if (last[-1] == '}' || last[-1] == ']') return read_value(state) == last;
    // A number, string or literal: the pass needs a bracket behind it.
    const std::string closed = std::string(first, last) + ']';
    state.begin = closed.data();
    state.end = closed.data() + closed.size();
    return read_value(state) == state.end - 1;
}

}  // namespace livelogd::protocol
