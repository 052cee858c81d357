// SPDX-License-Identifier: MIT
#include "daemon/app/option_list.hpp"

#include "daemon/app/option_table.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace livelogd::app {
namespace {

std::string_view kind_of(const option& o) {
    if (o.is_list) return "list";
    return o.is_switch ? "switch" : "value";
}

}  // namespace

std::string list_options() {
    std::string text = "[";
    for (const auto& o : option_table()) {
        boost::json::object shown;
        shown["name"] = o.name;
        shown["flag"] = flag_of(o);
        shown["variable"] = variable_of(o);
        shown["kind"] = kind_of(o);
        shown["default"] = o.default_value;
        shown["help"] = o.help;
        shown["reloadable"] = o.take != nullptr;
        text += (text.size() > 1 ? ",\n " : "") + boost::json::serialize(shown);
    }
    return text + "]\n";
}

}  // namespace livelogd::app
