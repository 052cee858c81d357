// SPDX-License-Identifier: MIT
// The configuration file.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace livelogd::app {

/// One key of the file: its values as text, and where it stands, for messages.
struct file_value {
    std::vector<std::string> values;
    std::string place;  ///< "FILE:LINE: key"
};

/// Reads a TOML file: keys of the option table with strings, whole numbers, booleans, or arrays of strings.
/// Throws configuration_error that names the file, the line and the key.
std::map<std::string, file_value, std::less<>> read_config_file(const std::string& path);

}  // namespace livelogd::app
