// SPDX-License-Identifier: MIT
// The only file that knows toml++.
#include "daemon/app/config_file.hpp"

#include "daemon/app/configuration.hpp"
#include "daemon/app/exit_code.hpp"
#include "daemon/app/option_table.hpp"
#include "daemon/base/errno_text.hpp"

#if __has_include(<toml++/toml.hpp>)
#include <toml++/toml.hpp>
#else
#include <toml++/toml.h>
#endif

#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

namespace livelogd::app {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw configuration_error(bad_configuration, what);
}

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file || file.bad()) {
        fail("cannot read the configuration file " + path + ": " + base::errno_text(errno));
    }
    return text;
}

std::string scalar_text(const toml::node& node, const std::string& place) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
    fail(place + ": must be a string, a whole number, true or false");
}

std::string place_of(const std::string& path, const toml::source_region& source, std::string_view name) {
    return path + ":" + std::to_string(source.begin.line) + ": " + std::string(name);
}

file_value read_value(const toml::node& node, std::string place, bool may_be_list) {
    file_value value{.values = {}, .place = std::move(place)};
    if (const auto* array = node.as_array()) {
        if (!may_be_list) fail(value.place + ": takes one value, not a list");
        for (const auto& element : *array)
            value.values.push_back(scalar_text(element, value.place));
    } else {
        value.values.push_back(scalar_text(node, value.place));
    }
    return value;
}

std::vector<file_values> read_alerts(const toml::node& node, const std::string& path,
                                     const std::string& place) {
    std::vector<file_values> alerts;
    const auto* tables = node.as_array();
    if (tables == nullptr || !tables->is_array_of_tables())
        fail(place + ": is written as a table, [[alert]]");
    for (const auto& element : *tables) {
        auto& alert = alerts.emplace_back();
        alert[""].place = place_of(path, element.source(), "alert");
        for (const auto& [key, value] : *element.as_table()) {
            const std::string name(key.str());
            alert[name] = read_value(value, place_of(path, key.source(), "alert." + name), true);
        }
    }
    return alerts;
}

}  // namespace

file_contents read_config_file(const std::string& path) {
    toml::table table;
    const auto text = read_text(path);
    try {
        table = toml::parse(text, path);
    } catch (const toml::parse_error& error) {
        fail(path + ":" + std::to_string(error.source().begin.line) + ": "
             + std::string(error.description()));
    }
    file_contents contents;
    for (const auto& [key, node] : table) {
        const std::string name(key.str());
        auto place = place_of(path, key.source(), name);
        if (name == "alert") {
            contents.alerts = read_alerts(node, path, place);
            continue;
        }
        const auto* known = find_option(name);
        if (known == nullptr) {
            const auto near = nearest_option(name);
            fail(place + ": there is no such option"
                 + (near.empty() ? " (livelogd --help lists them)"
                                 : "; did you mean " + std::string(near) + "?"));
        }
        contents.options[name] = read_value(node, std::move(place), known->is_list);
    }
    return contents;
}

}  // namespace livelogd::app
