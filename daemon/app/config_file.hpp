// SPDX-License-Identifier: MIT
// The configuration file.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace livelogd::app {

/// One key of the file: its values as text, and where it stands, for messages.
struct file_value {
    std::vector<std::string> values;
    std::string place;  ///< "FILE:LINE: key"
};

using file_values = std::map<std::string, file_value, std::less<>>;

/// What a file says.
struct file_contents {
    file_values options;
    std::vector<file_values> alerts;  ///< one for each [[alert]]; under the key "" where it begins
};

/// Reads a TOML file: keys of the option table with strings, whole numbers, booleans, or arrays of strings,
/// and tables [[alert]], whose keys are not looked at here. Throws configuration_error that names the file,
/// the line and the key.
file_contents read_config_file(const std::string& path);

}  // namespace livelogd::app
