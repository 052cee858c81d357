// SPDX-License-Identifier: MIT
#include "daemon/storage/log_state.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/storage/support.hpp"

using namespace livelogd::storage;
using namespace livelogd::storage::test;

TEST_CASE("what was saved is loaded again") {
    const temp_dir dir;
    state_file file(dir.path());
    CHECK_FALSE(file.load());
    for (const auto how : {state_file::durability::process, state_file::durability::power}) {
        const log_state state{"a \"boot\"", how == state_file::durability::power, 1764012345678901, 17, true};
        REQUIRE_FALSE(file.save(state, how));
        const auto loaded = file.load();
        REQUIRE(loaded);
        CHECK(loaded->boot_id == state.boot_id);
        CHECK(loaded->clean == state.clean);
        CHECK(loaded->next_id == state.next_id);
        CHECK(loaded->segment == state.segment);
        CHECK(loaded->storing_failed == state.storing_failed);
    }
    CHECK(mode_of(dir / ".state") == 0640);
    CHECK_FALSE(fs::exists(dir / ".state.new"));
}

TEST_CASE("a state that cannot be understood is none") {
    const temp_dir dir;
    const state_file file(dir.path());
    const std::string good = R"({"boot_id":"b","clean":true,"next_id":5,"segment":3,"storing_failed":false})";
    write_file(dir / ".state", good);
    REQUIRE(file.load());
    write_file(dir / ".state", good + "\n" + std::string(2000, ' '));
    CHECK(file.load());
    for (
        const std::string& text : {
            std::string(),
            good.substr(0, good.size() - 1),
            std::string(100, '\0'),
            std::string("[]"),
            std::string("{}"),
            good + "x",
            good + std::string(5000, ' '),
            std::string(R"({"boot_id":"b","clean":1,"next_id":5,"segment":3,"storing_failed":false})"),
            std::string(R"({"boot_id":7,"clean":true,"next_id":5,"segment":3,"storing_failed":false})"),
            std::string(R"({"boot_id":"b","clean":true,"next_id":-5,"segment":3,"storing_failed":false})"),
            std::string(R"({"boot_id":"b","clean":true,"next_id":5.5,"segment":3,"storing_failed":false})"),
            std::string(
                R"({"boot_id":"b","clean":true,"next_id":9007199254740992,"segment":3,"storing_failed":false})"),
            std::string(R"({"boot_id":"b","clean":true,"next_id":5,"storing_failed":false})"),
        }) {
        INFO(text);
        write_file(dir / ".state", text);
        CHECK_FALSE(file.load());
    }
}

TEST_CASE(
    "a state that cannot be replaced is removed: without one ids jump, with an old one they might come "
    "back") {
    const temp_dir dir;
    state_file file(dir.path());
    REQUIRE_FALSE(file.save({"b", true, 5, 3, false}, state_file::durability::process));
    fs::create_directory(dir / ".state.new");  // cannot be opened for writing, not even by root
    const auto failure = file.save({"b", false, 9, 3, false}, state_file::durability::process);
    REQUIRE(failure);
    CHECK(failure->find(".state") != std::string::npos);
    CHECK_FALSE(file.load());
}

TEST_CASE("the kernel names this boot, always by the same name") {
    const std::string id = current_boot_id();
    CHECK(id == current_boot_id());
    if (fs::exists("/proc/sys/kernel/random/boot_id")) {
        CHECK(id.size() == 36);
        CHECK(id.find('\n') == std::string::npos);
    }
}
