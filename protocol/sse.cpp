// SPDX-License-Identifier: MIT
#include "protocol/sse.hpp"

#include "protocol/malformed.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>

#include <array>
#include <charconv>

namespace livelogd::protocol::sse {
namespace {

constexpr std::string_view id_field = "id: ";
constexpr std::string_view data_field = "\ndata: ";
constexpr std::string_view frame_end = "\n\n";
static_assert(frame_end.size() == json_trailer);

class decimal {
  public:
    explicit decimal(record_id id) {
        const auto result = std::to_chars(digits_.data(), digits_.data() + digits_.size(), id);
        size_ = static_cast<std::size_t>(result.ptr - digits_.data());
    }
    [[nodiscard]] std::string_view view() const { return {digits_.data(), size_}; }

  private:
    std::array<char, 20> digits_{};
    std::size_t size_ = 0;
};

std::string named_event(std::string_view name, record_id id, std::string_view data) {
    std::string event = "event: ";
    event += name;
    event += '\n';
    append_record(event, id, data);
    return event;
}

/// `text` as a JSON string, which holds neither CR nor LF. It may name a file, so it need not be UTF-8.
void append_string(std::string& out, std::string_view text) {
    constexpr std::size_t longest = 4096;
    const auto valid = to_valid_utf8(text, longest);
    out += boost::json::serialize(boost::json::string_view(valid.data(), valid.size()));
}

}  // namespace

void append_record(std::string& out, record_id id, std::string_view json) {
    out += id_field;
    out += decimal(id).view();
    out += data_field;
    out += json;
    out += frame_end;
}

std::size_t json_offset(record_id id) {
    return id_field.size() + decimal(id).view().size() + data_field.size();
}

std::string retry(unsigned milliseconds) {
    return "retry: " + std::to_string(milliseconds) + "\n\n";
}

std::string position(record_id id) {
    std::string block(id_field);
    block += decimal(id).view();
    block += "\n\n";
    return block;
}

std::string ping(record_id position, record_id newest) {
    return named_event("ping", position, "{\"id\":" + std::to_string(newest) + '}');
}

std::string ping_before_start(record_id newest) {
    return "event: ping\ndata: {\"id\":" + std::to_string(newest) + "}\n\n";
}

std::string gap(record_id from, record_id to, std::string_view reason) {
    std::string data = "{\"from\":" + std::to_string(from) + ",\"to\":" + std::to_string(to) + ",\"reason\":";
    append_string(data, reason);
    data += '}';
    return named_event("gap", to, data);
}

std::string bye(record_id position, std::string_view reason) {
    // A browser does not dispatch an event whose data is empty.
    if (reason.empty()) return named_event("bye", position, "{}");
    std::string data = "{\"reason\":";
    append_string(data, reason);
    data += '}';
    return named_event("bye", position, data);
}

std::string status_failing(std::string_view reason, std::string_view since) {
    std::string event = "event: status\ndata: {\"storing\":\"failing\",\"reason\":";
    append_string(event, reason);
    event += ",\"since\":";
    append_string(event, since);
    event += '}';
    event += frame_end;
    return event;
}

std::string status_ok() {
    return "event: status\ndata: {\"storing\":\"ok\"}\n\n";
}

}  // namespace livelogd::protocol::sse
