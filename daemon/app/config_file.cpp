// SPDX-License-Identifier: MIT
// The only file that knows toml++.
#include "daemon/app/config_file.hpp"

#include "daemon/app/configuration.hpp"
#include "daemon/app/exit_code.hpp"
#include "daemon/app/option_table.hpp"

#if __has_include(<toml++/toml.hpp>)
#include <toml++/toml.hpp>
#else
#include <toml++/toml.h>
#endif

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace livelogd::app {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw configuration_error(bad_configuration, what);
}

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file || file.bad()) {
        fail("cannot read the configuration file " + path + ": " + std::generic_category().message(errno));
    }
    return text;
}

std::string scalar_text(const toml::node& node, const std::string& place) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
    fail(place + ": must be a string, a whole number, true or false");
}

}  // namespace

std::map<std::string, file_value, std::less<>> read_config_file(const std::string& path) {
    toml::table table;
    const auto text = read_text(path);
    try {
        table = toml::parse(text, path);
    } catch (const toml::parse_error& error) {
        fail(path + ":" + std::to_string(error.source().begin.line) + ": "
             + std::string(error.description()));
    }
    std::map<std::string, file_value, std::less<>> values;
    for (const auto& [key, node] : table) {
        const std::string name(key.str());
        auto place = path + ":" + std::to_string(key.source().begin.line);
        place.append(": ").append(name);
        const auto* known = find_option(name);
        if (known == nullptr) {
            const auto near = nearest_option(name);
            fail(place + ": there is no such option"
                 + (near.empty() ? " (livelogd --help lists them)"
                                 : "; did you mean " + std::string(near) + "?"));
        }
        file_value& value = values[name];
        value.place = place;
        if (const auto* array = node.as_array()) {
            if (!known->is_list) fail(place + ": takes one value, not a list");
            for (const auto& element : *array)
                value.values.push_back(scalar_text(element, place));
        } else {
            value.values.push_back(scalar_text(node, place));
        }
    }
    return values;
}

}  // namespace livelogd::app
