// SPDX-License-Identifier: MIT
#include "daemon/query/request_row.hpp"

#include "daemon/query/json_text.hpp"
#include "daemon/summary/error_type.hpp"
#include "daemon/summary/llm_totals.hpp"
#include "daemon/summary/open_requests.hpp"
#include "protocol/llm_fields.hpp"

#include <array>
#include <utility>

namespace livelogd::query {
namespace {

constexpr std::array<std::string_view, 6> state_names{"ok",       "failed",     "in_flight",
                                                      "orphaned", "no_request", "unpaired"};

constexpr std::uint64_t ns_a_us = 1000;

void append_id(std::string& out, const request_side* side) {
    append_known(out, side != nullptr ? std::optional(side->id) : std::nullopt);
}

void append_text_or_null(std::string& out, std::string_view characters) {
    if (characters.empty()) {
        out += "null";
    } else {
        append_string(out, characters);
    }
}

void append_ns(std::string& out, std::string_view name, std::optional<std::uint64_t> ns) {
    append_key(out, name);
    out += ns ? milliseconds_text((*ns + ns_a_us / 2) / ns_a_us) : "null";
}

void append_tokens(std::string& out, std::string_view name, std::optional<std::uint64_t> tokens) {
    append_key(out, name);
    append_known(out, tokens);
}

void append_speed(std::string& out, std::string_view name, std::optional<std::uint64_t> tokens,
                  std::optional<std::uint64_t> ns, std::uint64_t least_tokens) {
    summary::token_speed speed;
    speed.add(tokens, ns, least_tokens);
    append_key(out, name);
    out += speed_text(speed.tokens, speed.ns);
}

/// The member of the first of the two records that has one.
void append_either(std::string& out, std::string_view name, const request_side* first,
                   const request_side* second, protocol::json_token protocol::record_fields::* field) {
    protocol::json_token value;
    if (first != nullptr) value = first->fields.*field;
    if (value.kind == protocol::json_kind::absent && second != nullptr) value = second->fields.*field;
    append_key(out, name);
    append_token(out, value);
}

/// What the response tells, and what only the request does.
protocol::llm_fields llm_of(const request_side* request, const request_side* response) {
    protocol::llm_fields told;
    if (response != nullptr) told = protocol::read_llm_fields(response->view.line, response->fields);
    if (response == nullptr) return protocol::read_llm_fields(request->view.line, request->fields);
    if (request != nullptr && told.model().empty()) {
        auto models = protocol::read_llm_models(request->view.line, request->fields);
        told.asked_model = std::move(models.asked);
        told.answered_model = std::move(models.answered);
    }
    return told;
}

void append_llm(std::string& out, const protocol::llm_fields& told) {
    append_key(out, "model");
    append_text_or_null(out, told.model());
    append_tokens(out, "input_tokens", told.input_tokens);
    append_tokens(out, "cached_tokens", told.cached_tokens);
    append_tokens(out, "output_tokens", told.output_tokens);
    append_tokens(out, "reasoning_tokens", told.reasoning_tokens);
    append_ns(out, "queue_ms", told.queue_ns);
    append_ns(out, "load_ms", told.load_ns);
    append_ns(out, "prefill_ms", told.prefill_ns);
    append_ns(out, "decode_ms", told.decode_ns);
    append_ns(out, "time_to_first_token_ms", told.first_token_ns);
    append_speed(out, "prefill_tokens_per_second", told.prefill_tokens, told.prefill_ns, 1);
    append_speed(out, "decode_tokens_per_second", told.decode_tokens, told.decode_ns,
                 summary::least_decoded_tokens);
    append_key(out, "finish_reason");
    append_text_or_null(out, told.finish_reason);
}

}  // namespace

std::span<const std::string_view> request_state_names() {
    return state_names;
}

request_state state_of(const request_side* request, const request_side* response,
                       const request_clock& clock) {
    if (request == nullptr) return request_state::no_request;
    if (response != nullptr) return response->view.digest.error ? request_state::failed : request_state::ok;
    if (!protocol::scalar_name(request->fields.request_id)) return request_state::unpaired;
    const auto age = summary::age_us(request->time, clock.now_us);
    const bool young = !age || *age < static_cast<std::uint64_t>(clock.orphan_after_us);
    return young ? request_state::in_flight : request_state::orphaned;
}

std::string row_text(const request_side* request, const request_side* response, request_state state,
                     const request_clock& clock) {
    using fields = protocol::record_fields;
    std::string out = "{";
    append_key(out, "id");
    append_id(out, request != nullptr ? request : response);
    append_key(out, "state");
    append_string(out, state_names[static_cast<std::size_t>(state)]);
    append_key(out, "request_record");
    append_id(out, request);
    append_key(out, "response_record");
    append_id(out, response);
    append_either(out, "request_id", request, response, &fields::request_id);
    append_either(out, "timestamp", request, response, &fields::timestamp);
    append_either(out, "method", request, response, &fields::method);
    append_either(out, "endpoint", request, response, &fields::endpoint);
    append_either(out, "status_code", response, nullptr, &fields::status_code);
    append_either(out, "duration_ms", response, nullptr, &fields::duration_ms);
    append_key(out, "error_type");
    append_text_or_null(out, response != nullptr && response->view.digest.error
                                 ? summary::error_type_of(response->fields)
                                 : std::string());
    append_key(out, "age_ms");
    const auto age = response == nullptr ? summary::age_us(request->time, clock.now_us) : std::nullopt;
    out += age ? milliseconds_text(*age) : "null";
    append_llm(out, llm_of(request, response));
    out += '}';
    return out;
}

}  // namespace livelogd::query
