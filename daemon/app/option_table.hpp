// SPDX-License-Identifier: MIT
// The one table of options: flags, environment, file, documentation and --print-config come from it.
#pragma once

#include "daemon/app/settings.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::app {

struct option {
    std::string_view name;  ///< as in the file: log_dir; the flag is --log-dir, the variable LIVELOGD_LOG_DIR
    std::string_view default_value;  ///< as on the command line; a list's values separated by commas
    std::string_view help;           ///< a sentence or two, without the default
    bool is_list = false;            ///< takes several values
    bool is_switch = false;          ///< true or false; the bare flag means true
    /// Takes a new value over while the daemon runs (SIGHUP); null: that waits for a start.
    void (*take)(settings& into, const settings& from) = nullptr;

    /// Reads the values into the settings. Throws std::invalid_argument with what would be right ("a size
    /// such as 10MiB").
    void (*set)(settings& into, const std::vector<std::string>& values);
    /// The value as TOML.
    std::string (*show)(const settings& from);
};

std::span<const option> option_table();

/// The option of that name, or null.
const option* find_option(std::string_view name);

std::string flag_of(const option& o);
std::string variable_of(const option& o);

/// Splits at commas, trimming spaces; the empty text has no values.
std::vector<std::string> split_list(std::string_view text);

/// The name of an option that `unknown` may have been meant to be; empty if none is near.
std::string_view nearest_option(std::string_view unknown);

}  // namespace livelogd::app
