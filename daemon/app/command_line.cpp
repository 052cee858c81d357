// SPDX-License-Identifier: MIT
// The only file that knows CLI11.
#include "daemon/app/configuration.hpp"
#include "daemon/app/exit_code.hpp"
#include "daemon/app/option_list.hpp"
#include "daemon/app/option_table.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace livelogd::app {
namespace {

std::string help_of(const option& o) {
    std::string text(o.help);
    if (!o.default_value.empty() && !o.is_list) text += " [" + std::string(o.default_value) + "]";
    return text;
}

}  // namespace

command_line parse_command_line(int argc, const char* const* argv) {
    CLI::App parser(
        "A live log daemon: takes JSON records on a Unix socket, keeps them in rotated JSONL files, streams\n"
        "them over Server-Sent Events and answers queries over HTTP.\n\n"
        "Every option is also a key of the configuration file (log_dir) and an environment variable\n"
        "(LIVELOGD_LOG_DIR); the flag wins over the variable, the variable over the file.",
        "livelogd");
    parser.set_version_flag("--version", "livelogd " LIVELOGD_VERSION);
    command_line given;
    bool check = false;
    bool print = false;
    bool list = false;
    parser.add_option("--config", given.config_file, "Configuration file (TOML).");
    parser.add_flag("--check-config", check, "Say whether the configuration is sound, and end.");
    parser.add_flag("--print-config", print, "Print the configuration in force as TOML, and end.");
    parser.add_flag("--print-options", list, "Print what there is to configure as JSON, and end.");
    std::map<std::string, std::vector<std::string>, std::less<>> values;
    for (const auto& o : option_table()) {
        auto* flag = parser.add_option(flag_of(o), values[std::string(o.name)], help_of(o));
        flag->type_name("")->allow_extra_args(false);
        if (o.is_list) {
            flag->take_all();
        } else {
            flag->expected(o.is_switch ? 0 : 1, 1)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
        }
    }
    try {
        parser.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        given.what = command_line::action::print_text;
        given.text = parser.help();
        return given;
    } catch (const CLI::CallForVersion& version) {
        given.what = command_line::action::print_text;
        given.text = std::string(version.what()) + "\n";
        return given;
    } catch (const CLI::ParseError& error) {
        throw configuration_error(usage, std::string(error.what()) + " (livelogd --help lists the options)");
    }
    if (list) {
        given.what = command_line::action::print_text;
        given.text = list_options();
        return given;
    }
    if (check) given.what = command_line::action::check_config;
    if (print) given.what = command_line::action::print_config;
    for (const auto& o : option_table()) {
        if (parser.count(flag_of(o)) == 0) continue;
        auto& texts = values[std::string(o.name)];
        if (o.is_switch && (texts.empty() || texts.front().empty())) texts = {"true"};
        given.flags[std::string(o.name)] = std::move(texts);
    }
    return given;
}

}  // namespace livelogd::app
