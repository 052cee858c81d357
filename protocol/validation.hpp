// SPDX-License-Identifier: MIT
// The verdict on a line: is it a record, and if not, what is wrong, and where. A part of scan_record().
// The verdict on JSON inside a record's string is the same one, without the reasons.
#pragma once

#include "protocol/scan.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace livelogd::protocol {

/// Keeps the parser's memory between lines. One thread at a time.
class record_validator {
  public:
    record_validator();
    ~record_validator();
    record_validator(const record_validator&) = delete;
    record_validator& operator=(const record_validator&) = delete;

    /// Reads the whole line. If it is a record, `begin` is where its opening brace stands.
    [[nodiscard]] std::optional<scan_error> validate(std::string_view line, std::size_t& begin);

    /// Whether `text` is one JSON value of any kind, held to what is asked of a record: UTF-8, nested at most
    /// max_nesting deep, nothing after it but white space. For JSON that is found in a record's strings.
    [[nodiscard]] bool is_json(std::string_view text);

  private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace livelogd::protocol
