// SPDX-License-Identifier: MIT
//
// Written sums have three parts: the pairs, behind their size, because a stretch outside the window is read
// for them alone; the overview, which parts of a timeline add up as well; and the rest.
#include "daemon/summary/record_sums.hpp"

#include "daemon/summary/error_type.hpp"
#include "protocol/json_walk.hpp"

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
    const auto request_id = is_response ? protocol::scalar_name(record.fields.request_id) : std::nullopt;
    const auto asked_model = request_id ? asked_model_of(*request_id) : std::string();
    const bool is_early = !asked_model && where_ == start::of_stretch;
    if (!counts) {
        if (is_early) early_.push_back({.request_id = *request_id, .without_model = std::nullopt});
        return;
    }
    answer one{.time = record.time,
               .told = protocol::read_llm_fields(record.view.line),
               .is_response = is_response,
               .error = record.view.digest.error,
               .duration_us = is_response ? duration_us(record.fields.duration_ms) : std::nullopt};
    if (!is_early) {
        add_answer(one, asked_model.value_or(std::string()));
    } else if (!one.told.model().empty()) {
        add_answer(one, {});
        early_.push_back({.request_id = *request_id, .without_model = std::nullopt});
    } else {
        early_.push_back({.request_id = *request_id, .without_model = std::move(one)});
    }
}

void record_sums::add_request(const scanned_record& record, bool counts) {
    const auto key = protocol::scalar_name(record.fields.request_id);
    if (!key) return;
    const auto models = protocol::read_llm_models(record.view.line);
    open_.add(*key, {.id = record.id,
                     .time = record.time,
                     .counts = counts,
                     .request_id = std::string(record.fields.request_id.text),
                     .endpoint = std::string(record.fields.endpoint.text),
                     .model = models.answered.empty() ? models.asked : models.answered});
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

std::optional<std::string> record_sums::asked_model_of(const std::string& request_id) {
    auto request = open_.take(request_id);
    if (!request) return std::nullopt;
    return std::move(request->model);
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

void record_sums::write_pairs(byte_writer& out) const {
    out.number(early_.size());
    for (const early_response& one : early_) {
        out.text(one.request_id);
        out.number(one.without_model ? 1 : 0);
        if (!one.without_model) continue;
        out.optional_signed(one.without_model->time);
        out.number(one.without_model->error ? 1 : 0);
        out.optional_number(one.without_model->duration_us);
        for (const auto number : answer_numbers)
            out.optional_number(one.without_model->told.*number);
    }
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

void record_sums::merge_pairs(byte_reader in, bool counts) {
    for (auto left = in.number(); left > 0; --left) {
        early_response one{.request_id = std::string(in.text()), .without_model = std::nullopt};
        if (in.number() != 0) {
            answer& told = one.without_model.emplace();
            told.is_response = true;
            told.time = in.optional_signed();
            told.error = in.number() != 0;
            told.duration_us = in.optional_number();
            for (const auto number : answer_numbers)
                told.told.*number = in.optional_number();
        }
        if (!counts) one.without_model.reset();
        const auto asked_model = asked_model_of(one.request_id);
        if (!asked_model && where_ == start::of_stretch) {
            early_.push_back(std::move(one));
        } else if (one.without_model) {
            add_answer(*one.without_model, asked_model.value_or(std::string()));
        }
    }
    for (auto left = in.number(); left > 0; --left) {
        open_request one{.id = in.number(),
                         .time = in.optional_signed(),
                         .counts = in.number() != 0 && counts,
                         .request_id = std::string(in.text()),
                         .endpoint = std::string(in.text()),
                         .model = std::string(in.text())};
        if (one.request_id.empty()) throw damaged_summary();
        const protocol::json_token spelled{.kind = protocol::kind_of(one.request_id.front()),
                                           .text = one.request_id};
        const auto key = protocol::scalar_name(spelled);
        if (!key) throw damaged_summary();
        open_.add(*key, std::move(one));
    }
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
