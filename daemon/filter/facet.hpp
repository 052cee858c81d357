// SPDX-License-Identifier: MIT
// Fields of a record by name.
#pragma once

#include "daemon/filter/record_view.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace livelogd::filter {

/// How many bytes at the front of `text` are a field's name: [A-Za-z_][A-Za-z0-9_.-]*. 0: none.
std::size_t field_name_size(std::string_view text);

/// Whether the whole of it is one.
bool is_field_name(std::string_view text);

/// What `field:value` compares with for this field: a string's characters, other scalars as spelled; of
/// `level` the severity's name, if a level is there; of `model` the one that answered, else the one asked
/// for; of `status` the number in status_code. Nothing if it is absent, null, an object or an array.
std::optional<std::string> facet_value(const record_view& record, std::string_view field);

}  // namespace livelogd::filter
