// SPDX-License-Identifier: MIT
#include "daemon/ingest/pipeline.hpp"

namespace livelogd::ingest {

protocol::record_id pipeline::submit(storage::record_batch batch) {
    gate_.add(batch.lines.size());
    return log_.submit(std::move(batch));
}

void pipeline::on_appended(protocol::record_id first_id, const storage::shared_records& batch) {
    live_.publish(std::make_shared<const live::event_batch>(first_id, *batch));
}

void pipeline::on_written(protocol::record_id, const storage::record_batch& batch) {
    gate_.remove(batch.lines.size());
}

}  // namespace livelogd::ingest
