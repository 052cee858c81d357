// SPDX-License-Identifier: MIT
#include "daemon/storage/log_state.hpp"

#include "daemon/base/errno_text.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/segment_name.hpp"

#include <boost/json.hpp>

#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace livelogd::storage {

namespace {

namespace json = boost::json;

constexpr std::size_t largest_state = 4096;  // far more than the file ever holds

/// The first bytes of a small file; nothing if it cannot be read or is larger than any that was written here.
std::optional<std::string> read_small(const char* path) {
    const base::unique_fd fd(::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return std::nullopt;
    std::string text(largest_state + 1, '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t n = ::read(fd.get(), text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return std::nullopt;
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    if (done > largest_state) return std::nullopt;
    text.resize(done);
    return text;
}

std::optional<protocol::record_id> id_member(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || !value->is_int64()) return std::nullopt;
    const std::int64_t id = value->get_int64();
    if (id < 0 || static_cast<std::uint64_t>(id) > protocol::max_record_id) return std::nullopt;
    return static_cast<protocol::record_id>(id);
}

std::optional<bool> bool_member(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || !value->is_bool()) return std::nullopt;
    return value->get_bool();
}

std::optional<log_state::cut> cut_member(const json::object& object) {
    const json::value* value = object.if_contains("cut");
    if (value == nullptr || !value->is_object()) return std::nullopt;
    const auto segment = id_member(value->get_object(), "segment");
    const auto bytes = id_member(value->get_object(), "bytes");
    const auto goes_on = id_member(value->get_object(), "goes_on");
    if (!segment || !bytes || !goes_on) return std::nullopt;
    return log_state::cut{*segment, *bytes, *goes_on};
}

std::string to_text(const log_state& state) {
    json::object object{{"boot_id", state.boot_id},
                        {"clean", state.clean},
                        {"next_id", state.next_id},
                        {"segment", state.segment},
                        {"storing_failed", state.storing_failed}};
    if (state.pending_cut) {
        const auto& cut = *state.pending_cut;
        object["cut"] = {{"segment", cut.segment}, {"bytes", cut.bytes}, {"goes_on", cut.goes_on}};
    }
    if (state.doubted_at_ns) object["clock_doubted_at_ns"] = *state.doubted_at_ns;
    return json::serialize(object) + "\n";
}

int write_whole(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return 0;
}

int write_new(const std::filesystem::path& path, std::string_view text, bool sync) {
    const base::unique_fd fd(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, log_file_mode));
    if (!fd) return errno;
    if (const int error = write_whole(fd.get(), text)) return error;
    return sync && ::fsync(fd.get()) != 0 ? errno : 0;
}

int sync_directory(const std::filesystem::path& directory) {
    const base::unique_fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return !fd || ::fsync(fd.get()) != 0 ? errno : 0;
}

}  // namespace

std::string current_boot_id() {
    std::string id = read_small("/proc/sys/kernel/random/boot_id").value_or("");
    while (!id.empty() && (id.back() == '\n' || id.back() == ' '))
        id.pop_back();
    return id;
}

state_file::state_file(const std::filesystem::path& directory)
    : directory_(directory), path_(directory / state_file_name) {}

std::optional<log_state> state_file::load() const {
    const auto text = read_small(path_.c_str());
    if (!text) return std::nullopt;
    boost::system::error_code error;
    const json::value value = json::parse(*text, error);
    if (error || !value.is_object()) return std::nullopt;
    const json::object& object = value.get_object();
    const json::value* boot_id = object.if_contains("boot_id");
    const auto clean = bool_member(object, "clean");
    const auto next_id = id_member(object, "next_id");
    const auto segment = id_member(object, "segment");
    const auto storing_failed = bool_member(object, "storing_failed");
    if (boot_id == nullptr || !boot_id->is_string() || !clean || !next_id || !segment || !storing_failed) {
        return std::nullopt;
    }
    const json::value* doubted = object.if_contains("clock_doubted_at_ns");
    return log_state{
        std::string(boot_id->get_string()),
        *clean,
        *next_id,
        *segment,
        *storing_failed,
        cut_member(object),
        doubted != nullptr && doubted->is_int64() ? std::optional(doubted->get_int64()) : std::nullopt};
}

std::optional<std::string> state_file::save(const log_state& state, durability how) {
    const bool sync = how == durability::power;
    const std::filesystem::path fresh = path_.string() + ".new";
    int error = write_new(fresh, to_text(state), sync);
    if (error == 0 && ::rename(fresh.c_str(), path_.c_str()) != 0) error = errno;
    if (error == 0 && sync) error = sync_directory(directory_);
    if (error == 0) return std::nullopt;
    ::unlink(fresh.c_str());
    ::unlink(path_.c_str());
    return "cannot write " + path_.string() + ": " + base::errno_text(error);
}

}  // namespace livelogd::storage
