// SPDX-License-Identifier: MIT
#include "protocol/bodies.hpp"

#include "protocol/body_facts.hpp"
#include "protocol/elide.hpp"
#include "protocol/json_walk.hpp"

namespace livelogd::protocol {
namespace {

constexpr std::string_view request_key = "request_body";
constexpr std::string_view response_key = "response_body";

/// One record on its way through the rules.
class body_pass {
  public:
    body_pass(std::string& out, std::string_view record, const body_rules& rules)
        : out_(out), record_(record), rules_(rules) {}

    bool run() {
        const char* run = record_.data();  // from here on bytes are still to be copied
        member_reader members(first_value(record_));
        json_member member;
        while (members.next(member)) {
            const bool request = string_equals(member.key, request_key);
            if (!request && !string_equals(member.key, response_key)) continue;
            const std::string changed =
                rules_.how == body_logging::off
                    ? without_text(member.value, request ? body_of::request : body_of::response)
                    : truncated(member, request ? body_of::request : body_of::response);
            if (changed.empty()) continue;
            out_.append(run, member.value.text.data()).append(changed);
            run = member.value.text.data() + member.value.text.size();
        }
        const char* const end = record_.data() + record_.size();
        if (run == record_.data()) return false;
        if (cut_.members.empty()) {
            out_.append(run, end);
        } else {
            out_.append(run, end - 1).append(",\"livelog_truncated\":{").append(cut_.members).append("}}");
        }
        return true;
    }

  private:
    /// Nothing: it stays as it is.
    static std::string without_text(const json_token& body, body_of whose) {
        std::string changed;
        if (body.kind == json_kind::null) return changed;
        read_body_facts(body, whose).append_to(changed, size_member(body));
        return changed;
    }

    std::string truncated(const json_member& member, body_of whose) {
        const json_token& body = member.value;
        std::string changed;
        if (body.is_string() && body.inner().size() > rules_.limit) {
            const body_facts facts = read_body_facts(body, whose);
            if (!facts.empty()) {
                std::string first = size_member(body);
                first.append(",\"livelog_body_beginning\":\"")
                    .append(beginning_of(body.inner(), rules_.limit))
                    .append(elision_mark)
                    .append("\"");
                facts.append_to(changed, first);
                return changed;
            }
        }
        append_shortened(changed, body, member.key.inner(), rules_.limit, cut_);
        return changed;
    }

    static std::string size_member(const json_token& body) {
        return "\"livelog_body_bytes\":" + std::to_string(body.text.size());
    }

    std::string& out_;
    std::string_view record_;
    const body_rules& rules_;
    elided_sizes cut_;
};

}  // namespace

bool append_with_bodies(std::string& out, std::string_view record, const body_rules& rules) {
    return rules.how != body_logging::full && body_pass(out, record, rules).run();
}

}  // namespace livelogd::protocol
