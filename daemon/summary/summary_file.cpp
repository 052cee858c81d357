// SPDX-License-Identifier: MIT
//
// A file begins with 32 bytes: what it is, the version, the size of the head and its checksum. The head says
// of which segment it is, lists the pages, and holds the sums of all of them; what belongs to single pages
// follows, each part with a checksum in the head.
#include "daemon/summary/summary_file.hpp"

#include "daemon/base/checksum.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/segment_name.hpp"
#include "daemon/summary/byte_codec.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace livelogd::summary {
namespace {

/// Changes with the format, and with what any sum means.
constexpr std::uint64_t version = 2;
constexpr std::string_view magic = "livelogd";
constexpr std::string_view suffix = ".summary";
constexpr std::string_view unfinished_suffix = ".new";

/// All little-endian, but for `what`.
struct preamble {
    std::array<char, 8> what{};
    std::uint64_t version = 0;
    std::uint64_t head_size = 0;
    std::uint64_t head_checksum = 0;
};
static_assert(sizeof(preamble) == 32 && std::endian::native == std::endian::little);

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void write_subject(byte_writer& out, const summary_subject& subject) {
    out.number(subject.first_id);
    out.number(subject.segment.inode);
    out.number(subject.segment.bytes);
    out.signed_number(subject.segment.modified_ns);
    out.text(subject.zone);
}

summary_subject read_subject(byte_reader& in) {
    summary_subject subject;
    subject.first_id = in.number();
    subject.segment.inode = in.number();
    subject.segment.bytes = in.number();
    subject.segment.modified_ns = in.signed_number();
    subject.zone = in.text();
    return subject;
}

std::string head_of(const summary_subject& subject, const summary_builder& built, std::string_view whole) {
    std::string list;
    byte_writer pages(list);
    for (std::size_t i = 0; i < built.pages().size(); ++i) {
        listed_page one{.what = built.pages()[i], .parts = {}};
        for (std::size_t part = 0; part < page_parts; ++part) {
            const std::string& text = (*built.texts()[i])[part];
            one.parts[part].size = text.size();
            one.parts[part].checksum = base::checksum_of(text);
        }
        write_listed_page(pages, one);
    }
    std::string head;
    byte_writer out(head);
    write_subject(out, subject);
    out.text(list);
    out.text(whole);
    return head;
}

/// Removes the file unless it has come to be kept.
class unfinished_file {
  public:
    explicit unfinished_file(std::filesystem::path path) : path_(std::move(path)) {}
    unfinished_file(const unfinished_file&) = delete;
    unfinished_file& operator=(const unfinished_file&) = delete;
    ~unfinished_file() {
        if (!kept_) ::unlink(path_.c_str());
    }
    void rename_to(const std::filesystem::path& name) {
        if (::rename(path_.c_str(), name.c_str()) != 0) fail("cannot rename a summary");
        kept_ = true;
    }

  private:
    std::filesystem::path path_;
    bool kept_ = false;
};

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("cannot write a summary");
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

/// The checked head of a file, and where it ends.
struct read_head {
    std::string bytes;
    std::uint64_t end = 0;
};

std::optional<read_head> head_in(int fd) {
    preamble front;
    const ssize_t n = ::pread(fd, &front, sizeof front, 0);
    if (n < 0) fail("cannot read a summary");
    if (n != sizeof front || std::string_view(front.what.data(), front.what.size()) != magic
        || front.version != version)
        return std::nullopt;
    struct stat status{};
    if (::fstat(fd, &status) != 0) fail("cannot read a summary");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (front.head_size > size) return std::nullopt;
    return read_head{
        .bytes = read_checked(
            fd, {.offset = sizeof front, .size = front.head_size, .checksum = front.head_checksum}),
        .end = sizeof front + front.head_size};
}

shared_summary summary_in(const std::filesystem::path& file, const read_head& head,
                          const summary_subject& subject) {
    byte_reader in(head.bytes);
    if (read_subject(in) != subject) return nullptr;
    std::string list(in.text());
    std::string whole(in.text());
    auto read = std::make_shared<const segment_summary>(std::move(whole), file, std::move(list), head.end);
    if (read->end() != subject.segment.bytes) throw damaged_summary();
    return read;
}

}  // namespace

std::string summary_name(protocol::record_id first_id) {
    std::string name = storage::segment_name(first_id);
    name.resize(name.rfind('.'));
    return name.append(suffix);
}

std::optional<protocol::record_id> parse_summary_name(std::string_view name) {
    if (name.ends_with(unfinished_suffix)) name.remove_suffix(unfinished_suffix.size());
    if (!name.ends_with(suffix)) return std::nullopt;
    name.remove_suffix(suffix.size());
    return storage::parse_segment_name(std::string(name).append(".jsonl"));
}

bool write_summary(const std::filesystem::path& directory, const summary_subject& subject,
                   const summary_builder& built) {
    const auto whole = built.whole();
    if (!whole) return false;
    const std::string head = head_of(subject, built, *whole);
    preamble front{
        .what = {}, .version = version, .head_size = head.size(), .head_checksum = base::checksum_of(head)};
    magic.copy(front.what.data(), front.what.size());
    std::string bytes(sizeof front, '\0');
    std::memcpy(bytes.data(), &front, sizeof front);
    bytes += head;
    for (const auto& texts : built.texts())
        for (const std::string& text : *texts)
            bytes += text;

    const auto name = directory / summary_name(subject.first_id);
    auto unfinished = name;
    unfinished += unfinished_suffix;
    constexpr mode_t mode = 0640;
    const base::unique_fd fd(
        ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd) fail("cannot write a summary");
    unfinished_file file(unfinished);
    write_all(fd.get(), bytes);
    // Not synced: what a power cut leaves of it does not pass for a summary.
    file.rename_to(name);
    return true;
}

shared_summary read_summary(const std::filesystem::path& directory, const summary_subject& subject) {
    const auto name = directory / summary_name(subject.first_id);
    const base::unique_fd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno == ENOENT) return nullptr;
    if (!fd) fail("cannot read a summary");
    try {
        const auto head = head_in(fd.get());
        return head ? summary_in(name, *head, subject) : nullptr;
    } catch (const damaged_summary&) {
        return nullptr;
    }
}

}  // namespace livelogd::summary
