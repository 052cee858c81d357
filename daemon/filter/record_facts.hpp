// SPDX-License-Identifier: MIT
// What conditions ask about one record, each read once and only if somebody asks.
#pragma once

#include "daemon/filter/record_view.hpp"
#include "protocol/llm_fields.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace livelogd::filter {

/// Made for one record, used by one thread, gone before the record's bytes are.
class record_facts {
  public:
    explicit record_facts(const record_view& record) : record_(record) {}

    [[nodiscard]] const protocol::record_digest& digest() const { return record_.digest; }

    /// The characters of `type`, if the digest tells them.
    [[nodiscard]] std::optional<std::string_view> plain_type() const {
        if (record_.digest.type_is_indirect || record_.digest.type_size == 0) return std::nullopt;
        return record_.digest.type_in(record_.line);
    }

    [[nodiscard]] protocol::json_token field(std::string_view name) const;

    /// The text that is searched; lives as long as this object.
    [[nodiscard]] std::string_view text();

    [[nodiscard]] const protocol::llm_models& models();

  private:
    record_view record_;
    std::optional<std::string_view> text_;
    std::string decoded_;
    std::optional<protocol::llm_models> models_;
};

}  // namespace livelogd::filter
