// SPDX-License-Identifier: MIT
#include "daemon/ingest/own_record.hpp"

#include "daemon/ingest/intake.hpp"

#include <boost/json/serialize.hpp>

namespace livelogd::ingest {

storage::record_batch own_record(std::string_view event, std::string_view message,
                                 const boost::json::object& fields, const policy& rules) {
    boost::json::object record;
    record["level"] = "WARNING";
    record["message"] = message;
    record["module"] = "livelogd";
    record["type"] = "livelogd";
    record["event"] = event;
    for (const auto& [key, value] : fields)
        record[key] = value;
    // The way of every record: it gets its timestamp there.
    counters not_counted;
    storage::record_batch batch;
    const auto line = boost::json::serialize(record);
    intake(line.size(), not_counted).feed(line + "\n", rules, batch);
    batch.own = true;
    return batch;
}

}  // namespace livelogd::ingest
