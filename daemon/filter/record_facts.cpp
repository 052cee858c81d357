// SPDX-License-Identifier: MIT
#include "daemon/filter/record_facts.hpp"

#include "daemon/filter/decoded_text.hpp"
#include "protocol/json_walk.hpp"

namespace livelogd::filter {

protocol::json_token record_facts::field(std::string_view name) const {
    return protocol::field_of(record_.object(), name);
}

std::string_view record_facts::text() {
    if (!text_) text_ = decoded_text(record_.line, decoded_);
    return *text_;
}

const protocol::llm_models& record_facts::models() {
    if (!models_) models_ = protocol::read_llm_models(record_.line);
    return *models_;
}

}  // namespace livelogd::filter
