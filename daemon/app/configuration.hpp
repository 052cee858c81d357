// SPDX-License-Identifier: MIT
// From command line, environment and file to settings.
#pragma once

#include "daemon/app/environment.hpp"
#include "daemon/app/settings.hpp"
#include "daemon/net/listen_address.hpp"

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::app {

/// What cannot be started with, and the exit code that says so. The text names the place and the cure.
class configuration_error : public std::runtime_error {
  public:
    configuration_error(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
    [[nodiscard]] int code() const { return code_; }

  private:
    int code_;
};

/// The command line, taken apart but not yet believed.
struct command_line {
    enum class action { run, check_config, print_config, print_text };
    action what = action::run;
    std::string text;         ///< for print_text: the help, or the version
    std::string config_file;  ///< empty: none
    std::map<std::string, std::vector<std::string>, std::less<>> flags;  ///< values by option name
};

/// Throws configuration_error (usage).
command_line parse_command_line(int argc, const char* const* argv);

/// The settings in force: flags before environment before file before defaults. Reads the file, and checks
/// what can be checked without opening anything else. Throws configuration_error.
settings load_settings(const command_line& given, environment variables);

/// What the options of the table cannot see one by one. Throws configuration_error.
void check_settings(const settings& all);

/// Whether others may be let in through the address. Throws std::invalid_argument with the cure.
void check_reach(const settings& all, const net::listen_address& address);

/// The token that requests have to show; none if nobody is asked for one. Reads the file. Throws
/// configuration_error.
std::optional<std::string> load_token(const settings& all);

/// A TOML file with every option, its help and its value.
std::string print_settings(const settings& all);

/// The options whose values differ.
std::vector<std::string_view> changed_options(const settings& before, const settings& after);

}  // namespace livelogd::app
