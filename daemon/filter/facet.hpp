// SPDX-License-Identifier: MIT
// Fields of a record by name.
#pragma once

#include "daemon/filter/record_view.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::filter {

/// How many bytes at the front of `text` are a field's name: [A-Za-z_][A-Za-z0-9_.-]*. 0: none.
std::size_t field_name_size(std::string_view text);

/// Whether the whole of it is one.
bool is_field_name(std::string_view text);

/// The values v for which `field:v` holds for this record: a string's characters, other scalars as spelled;
/// of `level` the severity's name, which every record has; of `model` the one that answered and the one asked
/// for, if they differ both; of `status` the number in status_code. None if it is absent, null, an object or
/// an array.
std::vector<std::string> facet_values(const record_view& record, std::string_view field);

}  // namespace livelogd::filter
