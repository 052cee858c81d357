// SPDX-License-Identifier: MIT
#include "daemon/app/configuration.hpp"
#include "daemon/app/exit_code.hpp"
#include "daemon/app/option_table.hpp"
#include "daemon/app/option_values.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <fstream>
#include <map>
#include <vector>

using namespace livelogd::app;
using namespace std::chrono_literals;
using livelogd::test::temp_dir;

namespace {

const char* no_variables(const char*) {
    return nullptr;
}

command_line parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "livelogd");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

struct failure {
    int code;
    std::string text;
};

template <class Act>
failure failure_of(Act&& act) {
    try {
        act();
    } catch (const configuration_error& error) {
        return {error.code(), error.what()};
    }
    return {0, ""};
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string write_config(const temp_dir& folder, const std::string& text) {
    const auto path = (folder / "livelogd.toml").string();
    std::ofstream(path) << text;
    return path;
}

}  // namespace

TEST_CASE("the defaults are those that are promised", "[app]") {
    const auto all = load_settings(parse({}), no_variables);
    CHECK(all.log_dir == "./logs");
    CHECK(all.log_max_bytes == 10u << 20);
    CHECK(all.log_backup_count == 5);
    CHECK(all.log_api_calls);
    CHECK(all.socket_mode == 0660);
    CHECK(all.max_record_bytes == 16u << 20);
    CHECK(all.max_ingest_connections == 256);
    CHECK(all.ingest_buffer_bytes == 64u << 20);
    CHECK(all.sync == livelogd::storage::sync_policy::interval);
    CHECK(all.sync_interval == 1s);
    CHECK(all.unwritten_max_bytes == 64u << 20);
    CHECK(all.orphan_after == 10min);
    CHECK(all.listen == std::vector<std::string>{"127.0.0.1:5000"});
    CHECK(all.allowed_hosts.empty());
    CHECK_FALSE(all.allow_unauthenticated);
    CHECK(all.max_http_connections == 2048);
    CHECK(all.stall_timeout == 60s);
    CHECK(all.header_limit == 8192);
    CHECK(all.header_timeout == 10s);
    CHECK(all.ring_bytes == 32u << 20);
    CHECK(all.summaries);
    CHECK(all.redact_keys.size() == 17);
    CHECK(all.threads == 1);
    CHECK(all.scan_threads == 2);
}

TEST_CASE("flags win over the environment, the environment over the file", "[app]") {
    const temp_dir folder;
    const auto path = write_config(folder, "log_dir = \"/file\"\nlog_backup_count = 7\nthreads = 3\n");
    const auto variables = [](const char* name) -> const char* {
        static const std::map<std::string, const char*> set{{"LIVELOGD_LOG_DIR", "/environment"},
                                                            {"LIVELOGD_LOG_BACKUP_COUNT", "8"}};
        const auto it = set.find(name);
        return it == set.end() ? nullptr : it->second;
    };
    const auto all = load_settings(parse({"--config", path.c_str(), "--log-dir", "/flag"}), variables);
    CHECK(all.log_dir == "/flag");
    CHECK(all.log_backup_count == 8);
    CHECK(all.threads == 3);
}

TEST_CASE("lists are repeated flags, commas, or arrays", "[app]") {
    const auto flags =
        load_settings(parse({"--listen", "127.0.0.1:1", "--listen", "[::1]:2,unix:/tmp/x"}), no_variables);
    CHECK(flags.listen == std::vector<std::string>{"127.0.0.1:1", "[::1]:2", "unix:/tmp/x"});
    const temp_dir folder;
    const auto path = write_config(folder, "redact_keys = [\"a\", \"b,c\"]\n");
    CHECK(load_settings(parse({"--config", path.c_str()}), no_variables).redact_keys
          == std::vector<std::string>{"a", "b,c"});
}

TEST_CASE("switches are set by the bare flag and by a word", "[app]") {
    CHECK(load_settings(parse({"--allow-unauthenticated"}), no_variables).allow_unauthenticated);
    CHECK_FALSE(load_settings(parse({"--log-api-calls=false"}), no_variables).log_api_calls);
}

TEST_CASE("a wrong command line names the flag", "[app]") {
    const auto value = failure_of([] { load_settings(parse({"--threads", "none"}), no_variables); });
    CHECK(value.code == usage);
    CHECK(has(value.text, "--threads"));
    CHECK(has(value.text, "'none'"));
    CHECK(failure_of([] { parse({"--no-such-flag"}); }).code == usage);
    CHECK(failure_of([] { parse({"stray"}); }).code == usage);
    CHECK(failure_of([] { parse({"--threads"}); }).code == usage);
    CHECK(failure_of([] { parse({"--threads", "1", "--threads", "2"}); }).code == usage);
}

TEST_CASE("a wrong file names itself, the line and the key", "[app]") {
    const temp_dir folder;
    const auto [text, line, says] = GENERATE(table<std::string, std::string, std::string>({
        {"\nthread = 1\n", ":2: thread", "did you mean threads?"},
        {"threads = \"many\"\n", ":1: threads", "whole number"},
        {"threads = 1.5\n", ":1: threads", "whole number"},
        {"log_max_bytes = \"10 pages\"\n", ":1: log_max_bytes", "10MiB"},
        {"\n\nsync = 'sometimes'\n", ":3: sync", "none, interval or always"},
        {"log_dir = [\"a\"]\n", ":1: log_dir", "not a list"},
        {"[http]\nlisten = 1\n", ":1: http", "no such option"},
        {"threads = \n", ":1", ""},
        {"log_api_calls = 1\n", ":1: log_api_calls", "true or false"},
    }));
    const auto path = write_config(folder, text);
    const auto wrong = failure_of([&] { load_settings(parse({"--config", path.c_str()}), no_variables); });
    INFO(wrong.text);
    CHECK(wrong.code == bad_configuration);
    CHECK(has(wrong.text, path + line));
    CHECK(has(wrong.text, says));
    CHECK(failure_of([] { load_settings(parse({"--config", "/no/such/file"}), no_variables); }).code
          == bad_configuration);
}

TEST_CASE("values that do not go together are refused", "[app]") {
    const auto refused = [](std::vector<const char*> arguments) {
        return failure_of([&] { load_settings(parse(std::move(arguments)), no_variables); });
    };
    CHECK(has(refused({"--ring-bytes", "1MiB"}).text, "max_record_bytes"));
    CHECK(has(refused({"--listen", "0.0.0.0:5000"}).text, "allow_unauthenticated"));
    CHECK(refused({"--listen", "0.0.0.0:5000", "--allow-unauthenticated"}).code == success);
    CHECK(has(refused({"--listen", "nowhere"}).text, "nowhere"));
    CHECK(has(refused({"--timezone", "Mars/Olympus"}).text, "timezone"));
    CHECK(has(refused({"--socket-group", "no-such-group-here"}).text, "socket_group"));
    CHECK(has(refused({"--cors-allowed-origins", "*"}).text, "cors_allowed_origins"));
    CHECK(has(refused({"--cors-allowed-origins", "localhost:3000"}).text, "origin"));
    CHECK(has(refused({"--cors-allowed-origins", "http://localhost:3000/"}).text, "origin"));
    CHECK(refused({"--listen", "0.0.0.0:5000"}).code == bad_configuration);
}

TEST_CASE("the printed configuration reads back as the same", "[app]") {
    const auto before =
        load_settings(parse({"--log-dir", "a \"quoted\"\tdir", "--log-max-bytes", "1500", "--listen",
                             "127.0.0.1:1,unix:/x", "--stall-timeout", "1500ms", "--sync", "always",
                             "--socket-mode", "0600", "--log-backup-count", "0"}),
                      no_variables);
    const temp_dir folder;
    const auto path = write_config(folder, print_settings(before));
    const auto after = load_settings(parse({"--config", path.c_str()}), no_variables);
    CHECK(changed_options(before, after).empty());
    CHECK(after.log_dir == "a \"quoted\"\tdir");
    CHECK(after.stall_timeout == 1500ms);
}

TEST_CASE("help and version are texts to print", "[app]") {
    const auto help = parse({"--help"});
    CHECK(help.what == command_line::action::print_text);
    for (const auto& o : option_table())
        CHECK(has(help.text, flag_of(o)));
    CHECK(parse({"--version"}).text == "livelogd " LIVELOGD_VERSION "\n");
}

TEST_CASE("sizes and times are read with their units", "[app]") {
    CHECK(read_size("1048576", 0) == 1u << 20);
    CHECK(read_size("1MiB", 0) == 1u << 20);
    CHECK(read_size("2 KiB", 0) == 2048);
    CHECK(read_size("3MB", 0) == 3000000);
    CHECK(show_size(10u << 20) == "\"10MiB\"");
    CHECK(show_size(1500) == "\"1500B\"");
    CHECK(show_size(0) == "0");
    for (const std::string bad : {"", "MiB", "-1", "1.5MiB", "1mib", "99999999999GiB", "10 MiB x"}) {
        INFO(bad);
        CHECK_THROWS_AS(read_size(bad, 0), std::invalid_argument);
    }
    CHECK(read_duration("500ms", 0ms) == 500ms);
    CHECK(read_duration("2", 0ms) == 2s);
    CHECK(read_duration("10min", 0ms) == 10min);
    CHECK(read_duration("2h", 0ms) == 2h);
    CHECK(show_duration(90s) == "\"90s\"");
    CHECK(show_duration(60s) == "\"1min\"");
    CHECK_THROWS_AS(read_duration("soon", 0ms), std::invalid_argument);
    CHECK_THROWS_AS(read_duration("1ms", 1s), std::invalid_argument);
    CHECK(read_mode("0660") == 0660);
    CHECK_THROWS_AS(read_mode("999"), std::invalid_argument);
}

TEST_CASE("typing errors find the option that was meant", "[app]") {
    CHECK(nearest_option("log_dri") == "log_dir");
    CHECK(nearest_option("max_record_byte") == "max_record_bytes");
    CHECK(nearest_option("colour").empty());
}
