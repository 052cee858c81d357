// SPDX-License-Identifier: MIT
//
// Written sums have three parts: the pairs, behind their size, because a stretch outside the window is read
// for them alone; the overview, which parts of a timeline add up as well; and the rest.
#include "daemon/summary/record_sums.hpp"

#include "daemon/summary/error_type.hpp"
#include "protocol/json_walk.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

namespace livelogd::summary {
namespace {

constexpr double us_per_ms = 1000.0;
constexpr double largest_duration_us = 9.2e18;

/// The numbers of an answer, in the order in which they are written.
constexpr std::array answer_numbers{
    &protocol::llm_fields::input_tokens,   &protocol::llm_fields::cached_tokens,
    &protocol::llm_fields::output_tokens,  &protocol::llm_fields::reasoning_tokens,
    &protocol::llm_fields::prefill_tokens, &protocol::llm_fields::decode_tokens,
    &protocol::llm_fields::queue_ns,       &protocol::llm_fields::load_ns,
    &protocol::llm_fields::prefill_ns,     &protocol::llm_fields::decode_ns,
    &protocol::llm_fields::first_token_ns,
};

/// The characters of a request_id, if it is a scalar. Hardly any has escapes, so it can nearly always stay
/// where it is; otherwise it is put into `decoded`.
std::optional<std::string_view> key_of(const protocol::json_token& request_id, std::string& decoded) {
    if (request_id.is_string() && request_id.inner().find('\\') == std::string_view::npos)
        return request_id.inner();
    if (request_id.is_number()) return request_id.text;
    auto name = protocol::scalar_name(request_id);
    if (!name) return std::nullopt;
    decoded = *std::move(name);
    return decoded;
}

void write_counts(byte_writer& out, const overview& all) {
    for (const std::uint64_t records : all.levels)
        out.number(records);
    out.number(all.requests);
    out.number(all.errors);
    all.durations.write(out);
}

void merge_counts(byte_reader& in, overview& all) {
    for (std::uint64_t& records : all.levels)
        records += in.number();
    all.requests += in.number();
    all.errors += in.number();
    all.durations.merge(in);
}

}  // namespace

std::optional<std::uint64_t> duration_us(const protocol::json_token& duration_ms) {
    const auto value = protocol::number_value(duration_ms);
    if (!value || !std::isfinite(*value) || *value < 0) return std::nullopt;
    const double us = *value * us_per_ms;  // infinite for the very largest, which the limit takes care of
    if (us >= largest_duration_us) return static_cast<std::uint64_t>(largest_duration_us);
    return static_cast<std::uint64_t>(std::llround(us));
}

std::uint64_t overview::records() const {
    return std::accumulate(levels.begin(), levels.end(), std::uint64_t{0});
}

void overview::merge(const overview& other) {
    for (std::size_t i = 0; i < levels.size(); ++i)
        levels[i] += other.levels[i];
    requests += other.requests;
    errors += other.errors;
    durations.merge(other.durations);
    for (const auto& [name, sums] : other.models)
        models[name].merge(sums);
}

void overview::merge_written(std::string_view written) {
    byte_reader in(written);
    in.text();  // the pairs
    merge_counts(in, *this);
    for (auto left = in.number(); left > 0; --left) {
        std::string name(in.text());
        models[std::move(name)].merge(in);
    }
}

record_sums::record_sums(start where)
    : where_(where),
      names_(std::make_unique<name_budget>()),
      named_(std::make_unique<named_sums>(*names_)),
      models_(*names_) {}

void record_sums::add(const scanned_record& record, bool counts) {
    const bool is_request = protocol::string_equals(record.fields.type, "request");
    const bool is_response = !is_request && protocol::string_equals(record.fields.type, "response");
    if (counts) add_sums(record, is_request, is_response);
    if (is_request) {
        add_request(record, counts);
        return;
    }
    std::string decoded;
    std::optional<std::string_view> request_id;
    if (is_response) request_id = key_of(record.fields.request_id, decoded);
    std::optional<std::string_view> asked_model = std::string_view();
    if (request_id) asked_model = asked_model_of(*request_id);
    // With as many open here as are kept, none of an earlier stretch is.
    const bool is_early =
        !asked_model && where_ == start::of_stretch && open_.size() < open_requests::most_open;
    if (!counts) {
        if (is_early) add_early(std::string(*request_id), std::nullopt);
        return;
    }
    answer one{.time = record.time,
               .told = protocol::read_llm_fields(record.view.line, record.fields),
               .is_response = is_response,
               .error = record.view.digest.error,
               .duration_us = is_response ? duration_us(record.fields.duration_ms) : std::nullopt};
    if (!is_early) {
        add_answer(one, asked_model.value_or(std::string_view()));
    } else if (!one.told.model().empty()) {
        add_answer(one, {});
        add_early(std::string(*request_id), std::nullopt);
    } else {
        add_early(std::string(*request_id), std::move(one));
    }
}

void record_sums::add_request(const scanned_record& record, bool counts) {
    std::string decoded;
    const auto key = key_of(record.fields.request_id, decoded);
    if (!key) return;
    const auto models = protocol::read_llm_models(record.view.line, record.fields);
    open_request& opened = open_next(record.id, *key);
    opened.time = record.time;
    opened.counts = counts;
    opened.request_id.assign(record.fields.request_id.text);
    opened.endpoint.assign(record.fields.endpoint.text);
    opened.model.assign(models.answered.empty() ? models.asked : models.answered);
}

open_request& record_sums::open_next(protocol::record_id id, std::string_view key) {
    given_up_ += open_.drop_oldest(open_requests::most_open - 1);
    open_request& opened = open_.add(id, key);
    open_peak_ = std::max(open_peak_, open_.size());
    return opened;
}

void record_sums::add_early(std::string request_id, std::optional<answer> without_model) {
    early_.push_back({.request_id = std::move(request_id),
                      .open_before = std::exchange(open_peak_, open_.size()),
                      .without_model = std::move(without_model)});
}

void record_sums::add_sums(const scanned_record& record, bool is_request, bool is_response) {
    ++overview_.levels[static_cast<std::size_t>(record.view.digest.severity)];
    const auto& fields = record.fields;
    if (is_request) {
        ++overview_.requests;
        named_->request_endpoints.add(fields.endpoint);
        named_->request_methods.add(fields.method);
    } else if (is_response) {
        named_->response_status_codes.add(fields.status_code);
        if (const auto us = duration_us(fields.duration_ms)) {
            overview_.durations.add(*us);
            duration_sum_us_ += *us;
        }
    }
    if (record.view.digest.error) add_error(fields);
}

void record_sums::add_error(const protocol::record_fields& fields) {
    ++overview_.errors;
    named_->error_endpoints.add(fields.endpoint);
    named_->error_status_codes.add(fields.status_code);
    named_->error_types.add(std::string_view(error_type_of(fields)));
}

std::optional<std::string_view> record_sums::asked_model_of(std::string_view request_id) {
    const open_request* const request = open_.take(request_id);
    if (request == nullptr) return std::nullopt;
    return request->model;
}

void record_sums::add_answer(const answer& one, std::string_view asked_model) {
    const std::string_view model =
        one.told.model().empty() ? asked_model : std::string_view(one.told.model());
    const bool is_answer = one.told.has_measure() || (one.is_response && !model.empty());
    if (!is_answer) return;
    const auto number = models_.number_of(model);
    models_[number].add(one.told, one.error, one.duration_us);
    if (on_answer_) on_answer_({.time = one.time, .model = models_.name(number), .told = one.told});
}

void record_sums::write(std::string& out) const {
    byte_writer to(out);
    std::string pairs;
    byte_writer pairs_to(pairs);
    write_pairs(pairs_to);
    to.text(pairs);
    write_counts(to, overview_);
    to.number(models_.all().size());
    for (const auto& model : models_.all()) {
        to.text(model.name);
        model.totals.sums.write(to);
    }
    to.wide_number(duration_sum_us_);
    for (const auto* counts :
         {&named_->request_endpoints, &named_->request_methods, &named_->response_status_codes,
          &named_->error_types, &named_->error_endpoints, &named_->error_status_codes})
        counts->write(to);
    for (const auto& model : models_.all())
        model.totals.write_rest(to);
}

record_sums::left_of_early record_sums::what_is_left_of(const early_response& one) {
    using enum left_of_early;
    if (!one.without_model) return nothing;
    return one.without_model->told.has_measure() ? measures : call;
}

void record_sums::write_pairs(byte_writer& out) const {
    out.number(early_.size());
    for (const early_response& one : early_) {
        out.text(one.request_id);
        out.number(one.open_before);
        out.number(static_cast<std::uint64_t>(what_is_left_of(one)));
        if (!one.without_model) continue;
        out.optional_signed(one.without_model->time);
        out.number(one.without_model->error ? 1 : 0);
        out.optional_number(one.without_model->duration_us);
        if (!one.without_model->told.has_measure()) continue;
        for (const auto number : answer_numbers)
            out.optional_number(one.without_model->told.*number);
    }
    out.number(open_peak_);
    out.number(given_up_);
    const auto open = open_.in_order();
    out.number(open.size());
    for (const open_request* one : open) {
        out.number(one->id);
        out.optional_signed(one->time);
        out.number(one->counts ? 1 : 0);
        out.text(one->request_id);
        out.text(one->endpoint);
        out.text(one->model);
    }
}

void record_sums::merge(std::string_view written, bool counts) {
    byte_reader in(written);
    merge_pairs(byte_reader(in.text()), counts);
    if (counts) merge_sums(in);
}

/// What is open here is older than what the stretch holds, and gives way to it in the same order as if the
/// records came one by one.
void record_sums::merge_pairs(byte_reader in, bool counts) {
    const auto make_room = [this](std::uint64_t open_there) {
        const auto room =
            open_requests::most_open - std::min<std::uint64_t>(open_there, open_requests::most_open);
        open_peak_ = std::max<std::size_t>(open_peak_,
                                           std::min(open_.size(), room) + (open_requests::most_open - room));
        given_up_ += open_.drop_oldest(room);
    };
    for (auto left = in.number(); left > 0; --left) {
        const auto request_id = in.text();
        const auto open_before = in.number();
        std::optional<answer> without_model;
        if (const auto left_of = in.number(); left_of != 0)
            without_model = read_answer(in, static_cast<left_of_early>(left_of));
        if (!counts) without_model.reset();
        make_room(open_before);
        const auto asked_model = asked_model_of(request_id);
        if (!asked_model && where_ == start::of_stretch && open_before < open_requests::most_open) {
            add_early(std::string(request_id), std::move(without_model));
        } else if (without_model) {
            add_answer(*without_model, asked_model.value_or(std::string_view()));
        }
    }
    make_room(in.number());
    const auto given_up = in.number();
    if (counts) given_up_ += given_up;
    for (auto left = in.number(); left > 0; --left) {
        const auto id = in.number();
        const auto time = in.optional_signed();
        const bool counted = in.number() != 0 && counts;
        const auto request_id = in.text();
        if (request_id.empty()) throw damaged_summary();
        std::string decoded;
        const auto key = key_of({.kind = protocol::kind_of(request_id.front()), .text = request_id}, decoded);
        if (!key) throw damaged_summary();
        open_request& opened = open_next(id, *key);
        opened.time = time;
        opened.counts = counted;
        opened.request_id.assign(request_id);
        opened.endpoint.assign(in.text());
        opened.model.assign(in.text());
    }
}

record_sums::answer record_sums::read_answer(byte_reader& in, left_of_early what) {
    answer one;
    one.is_response = true;
    one.time = in.optional_signed();
    one.error = in.number() != 0;
    one.duration_us = in.optional_number();
    if (what == left_of_early::call) return one;
    for (const auto number : answer_numbers)
        one.told.*number = in.optional_number();
    return one;
}

void record_sums::merge_sums(byte_reader& in) {
    merge_counts(in, overview_);
    std::vector<std::size_t> numbers;
    for (auto left = in.number(); left > 0; --left) {
        numbers.push_back(models_.number_of(in.text()));
        models_[numbers.back()].sums.merge(in);
    }
    duration_sum_us_ += in.wide_number();
    for (auto* counts : {&named_->request_endpoints, &named_->request_methods, &named_->response_status_codes,
                         &named_->error_types, &named_->error_endpoints, &named_->error_status_codes})
        counts->merge(in);
    for (const std::size_t number : numbers)
        models_[number].merge_rest(in);
}

}  // namespace livelogd::summary
