// SPDX-License-Identifier: MIT
#include "daemon/http/openapi.hpp"
#include "daemon/http/endpoints.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/live_log.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <set>
#include <string>

using namespace livelogd;

namespace {

/// The path up to a part that can be anything.
std::string fixed_part(std::string_view path) {
    return std::string(path.substr(0, path.find('{')));
}

/// The paths of the description; one for each value of a part that can only be one of a few.
std::set<std::string> described(const boost::json::object& paths) {
    std::set<std::string> all;
    for (const auto& [key, item] : paths) {
        const std::string path(key);
        const auto* parameters = item.as_object().if_contains("parameters");
        const auto name = path.find("{name}");
        if (name == std::string::npos) {
            all.insert(fixed_part(path));
            continue;
        }
        REQUIRE(parameters != nullptr);
        for (const auto& value : parameters->at(0).at("schema").at("enum").as_array())
            all.insert(path.substr(0, name) + std::string(value.as_string()));
    }
    return all;
}

}  // namespace

TEST_CASE("the description names the paths that are answered, and no others", "[openapi]") {
    REQUIRE(http::openapi_files().size() == 1);
    const auto document = boost::json::parse(http::openapi_files().front().bytes);

    test::live_log log;
    std::stop_source stopping;
    const ingest::current_policy rules{std::make_shared<const ingest::policy>()};
    const auto routes =
        http::make_router({.log = *log.log,
                           .streams = {*log.log, log.live, log.files, log.matches, log.counts, log.zone,
                                       log.workers, log.workers, stopping.get_token(), log.served},
                           .rules = rules,
                           .ingested = log.count,
                           .lines = log.counts,
                           .zone = base::time_zone::named("UTC"),
                           .stall = std::chrono::seconds(60),
                           .orphan_after = std::chrono::minutes(10)});
    std::set<std::string> answered;
    for (const auto& path : routes.paths())
        answered.insert(fixed_part(path));

    CHECK(described(document.at("paths").as_object()) == answered);
}

TEST_CASE("the description carries the version of the program", "[openapi]") {
    const auto document = boost::json::parse(http::openapi_files().front().bytes);
    CHECK(document.at("info").at("version").as_string() == LIVELOGD_VERSION);
    CHECK(http::openapi_files().front().content_type == "application/json");
}
