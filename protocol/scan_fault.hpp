// SPDX-License-Identifier: MIT
// What is wrong with a line, in words. A part of scan_record().
#pragma once

#include "protocol/record_pass.hpp"
#include "protocol/scan.hpp"

#include <cstddef>
#include <string_view>

namespace livelogd::protocol {

/// `at`: where a pass over `line` could not go on, and within what.
scan_error explain_fault(std::string_view line, std::size_t at, fault_kind fault);

/// For a line that does not even begin like a record. `begin`: its first byte that is no white space, if any.
scan_error explain_beginning(std::string_view line, std::size_t begin);

}  // namespace livelogd::protocol
