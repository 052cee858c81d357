// SPDX-License-Identifier: MIT
// What is left of a body when its text is not: the members that docs/llm-fields.md reads. A part of bodies.
#pragma once

#include "protocol/json_token.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace livelogd::protocol {

/// Of a request only the model is read, of a response all of the table.
enum class body_of { request, response };

/// A body's facts, as JSON.
struct body_facts {
    std::string members;  ///< of the only or first object, without braces; may be empty
    std::string others;   ///< more objects, each with a comma before it
    bool is_array = false;

    [[nodiscard]] bool empty() const { return members.empty() && others.empty(); }
    /// `first_members`: put before the others; compact JSON members joined by commas, not empty.
    void append_to(std::string& out, std::string_view first_members) const;
};

/// `body`: a valid value of any kind.
body_facts read_body_facts(const json_token& body, body_of whose);

}  // namespace livelogd::protocol
