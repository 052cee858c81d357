// SPDX-License-Identifier: MIT
#include "protocol/acknowledgement.hpp"

#include "protocol/malformed.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace livelogd::protocol {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> hello_keys{"livelog", "ack", "client", "next"};

bool is_hello_key(std::string_view key) {
    return std::ranges::find(hello_keys, key) != hello_keys.end();
}

/// The whole number that `value` is, if it has neither sign nor fraction nor exponent.
std::optional<std::uint64_t> whole_number(const json::value& value) {
    if (value.is_uint64()) return value.get_uint64();
    if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
    return std::nullopt;
}

bool is_client_name(std::string_view name) {
    return !name.empty() && name.size() <= max_client_bytes
           && std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; });
}

/// Why the value of this key cannot be, or nothing once it has been put into `result`.
std::optional<std::string> take_member(std::string_view key, const json::value& value, hello& result) {
    const json::string* text = value.if_string();
    const auto number = whole_number(value);
    if (key == "livelog") {
        if (number != 1u) return R"("livelog" is the version of the protocol and must be 1)";
    } else if (key == "ack") {
        if (text == nullptr || (*text != "written" && *text != "durable")) {
            return R"("ack" must be "written" or "durable")";
        }
        result.level = *text == "durable" ? ack_level::durable : ack_level::written;
    } else if (key == "client") {
        if (text == nullptr || !is_client_name({text->data(), text->size()}))
            return R"("client" must be a string of 1 to 128 printable ASCII characters)";
        result.client = std::string(text->data(), text->size());
    } else {
        if (!number || *number < 1 || *number > max_line_number)
            return R"("next" must be a whole number from 1 to )" + std::to_string(max_line_number);
        result.next = number;
    }
    return std::nullopt;
}

void append_sentence(std::string& out, std::string_view sentence) {
    const std::string text = to_valid_utf8(sentence, max_sentence_bytes);
    out += json::serialize(json::string_view(text.data(), text.size()));
}

}  // namespace

first_line parse_hello(std::string_view line) {
    if (line.size() >= max_hello_bytes || !line.starts_with('{')
        || line.find(R"("livelog")") == std::string_view::npos) {
        return {};
    }
    json::error_code error;
    const json::value value = json::parse({line.data(), line.size()}, error);
    const json::object* members = error ? nullptr : value.if_object();
    if (members == nullptr || !members->contains("livelog")) return {};
    for (const auto& member : *members) {
        if (!is_hello_key({member.key().data(), member.key().size()})) return {};
    }
    hello result;
    for (const auto key : hello_keys) {
        const json::value* given = members->if_contains({key.data(), key.size()});
        if (given == nullptr) continue;
        if (auto reason = take_member(key, *given, result)) return refused_hello{std::move(*reason)};
    }
    return result;
}

void append_have(std::string& out, line_number last) {
    out.append(R"({"have":)").append(std::to_string(last)).append("}\n");
}

void append_ack(std::string& out, line_number last) {
    out.append(R"({"ack":)").append(std::to_string(last)).append("}\n");
}

void append_malformed(std::string& out, line_number line, std::string_view sentence) {
    out.append(R"({"malformed":)").append(std::to_string(line)).append(R"(,"error":)");
    append_sentence(out, sentence);
    out += "}\n";
}

void append_more_malformed(std::string& out, line_number last, std::uint64_t count) {
    out.append(R"({"malformed":)").append(std::to_string(last)).append(R"(,"more":)");
    out.append(std::to_string(count)).append("}\n");
}

void append_error(std::string& out, std::string_view sentence) {
    out += R"({"error":)";
    append_sentence(out, sentence);
    out += "}\n";
}

}  // namespace livelogd::protocol
