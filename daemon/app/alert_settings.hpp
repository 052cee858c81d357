// SPDX-License-Identifier: MIT
// The tables [[alert]] of the configuration file.
#pragma once

#include "daemon/alerts/alert_rule.hpp"
#include "daemon/app/config_file.hpp"

#include <string>
#include <vector>

namespace livelogd::app {

/// Throws configuration_error that names the place and what would be right.
alerts::alert_rule read_alert(const file_values& table);

/// What they cannot know of themselves: that names differ, that filters can be understood. `tables`: where
/// they come from, in the same order. Throws configuration_error.
void check_alerts(const std::vector<alerts::alert_rule>& rules, const std::vector<file_values>& tables);

/// The rule as TOML.
std::string show_alert(const alerts::alert_rule& rule);

/// What stands in a configuration file about them: a comment with an example.
std::string alert_explanation();

}  // namespace livelogd::app
