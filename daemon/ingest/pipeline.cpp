// SPDX-License-Identifier: MIT
#include "daemon/ingest/pipeline.hpp"

namespace livelogd::ingest {

void pipeline::submit(storage::record_batch batch) {
    if (batch.empty()) return;
    gate_.add(batch.lines.size());
    log_.submit(std::move(batch));
}

void pipeline::on_appended(protocol::record_id first_id, storage::record_batch batch) {
    live_.publish(std::make_shared<const live::event_batch>(first_id, batch));
    gate_.remove(batch.lines.size());
}

}  // namespace livelogd::ingest
