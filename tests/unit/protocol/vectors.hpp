// SPDX-License-Identifier: MIT
// Reads the golden cases of protocol/vectors.
#pragma once

#include <boost/json.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::test {

using vector_case = boost::json::object;

inline std::vector<vector_case> read_vectors(const std::string& file) {
    const std::string path = LIVELOGD_VECTORS "/" + file;
    std::ifstream in(path);
    std::vector<vector_case> cases;
    for (std::string line; std::getline(in, line);)
        cases.push_back(boost::json::parse(line).as_object());
    if (cases.empty()) throw std::runtime_error("no golden cases in " + path);
    return cases;
}

inline std::string text_of(const vector_case& test, std::string_view member) {
    return std::string(test.at(member).as_string());
}

/// The bytes of member `name`, or of `<name>_hex`.
inline std::string bytes_of(const vector_case& test, const std::string& name) {
    if (test.contains(name)) return text_of(test, name);
    const std::string digits = text_of(test, name + "_hex");
    std::string bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2)
        bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    return bytes;
}

inline bool has_bytes(const vector_case& test, const std::string& name) {
    return test.contains(name) || test.contains(name + "_hex");
}

}  // namespace livelogd::test
