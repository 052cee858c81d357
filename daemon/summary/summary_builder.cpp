// SPDX-License-Identifier: MIT
#include "daemon/summary/summary_builder.hpp"

#include "daemon/summary/byte_codec.hpp"
#include "daemon/summary/stretch_scan.hpp"

#include <utility>

namespace livelogd::summary {
namespace {

std::string& text_of(segment_summary::page_texts& texts, page_part which) {
    return texts[static_cast<std::size_t>(which)];
}

/// The first record's time may not be known before a later one has come, and with it the page's times.
struct untimed {};

}  // namespace

bool summary_builder::extend(storage::segment_source from, std::uint64_t bytes, bool sealed,
                             const std::stop_token& stop) {
    if (waits_for_seal_ && !sealed) return true;
    const stretch rest{.from = from,
                       .segment_bytes = bytes,
                       .begin = bytes_,
                       .end = bytes,
                       .first_id = first_id_ + lines_,
                       .zone = zone_};
    bool whole = true;
    try {
        whole = scan_stretch(rest, stop, [&](const storage::stored_line& line, const scanned_record* record) {
            if (record != nullptr && !record->time && !sealed) throw untimed();
            take(line, record);
        });
    } catch (const untimed&) {
        // Such segments hardly occur: what begins with a time that cannot be read is added up once it is
        // sealed.
        pages_.clear();
        texts_.clear();
        open_.reset();
        bytes_ = 0;
        lines_ = 0;
        waits_for_seal_ = true;
        return true;
    }
    if (sealed && open_) close_page();
    return whole;
}

void summary_builder::take(const storage::stored_line& line, const scanned_record* record) {
    if (open_ && open_->place.begin / page_size_ != line.offset / page_size_) close_page();
    if (!open_) {
        open_.emplace();
        open_->place.begin = line.offset;
        open_->place.first_line = lines_;
        open_->last_error = {.line = lines_, .offset = line.offset};
    }
    if (record != nullptr) take_record(line, *record);
    ++lines_;
    ++open_->place.lines;
    bytes_ = line.offset + line.bytes.size() + 1;
    open_->place.end = bytes_;
}

void summary_builder::take_record(const storage::stored_line& line, const scanned_record& record) {
    open_page& to = *open_;
    to.place.times.add(record.time);
    to.sums.add(record, true);
    if (record.view.digest.error) {
        byte_writer places(text_of(to.texts, page_part::errors));
        places.number(lines_ - to.last_error.line);
        places.number(line.offset - to.last_error.offset);
        to.last_error = {.line = lines_, .offset = line.offset};
        ++to.place.errors;
    }
    if (protocol::string_equals(record.fields.type, "response") && duration_us(record.fields.duration_ms)) {
        byte_writer durations(text_of(to.texts, page_part::durations));
        durations.text(record.fields.duration_ms.text);
        ++to.place.durations;
    }
}

void summary_builder::close_page() {
    open_->sums.write(text_of(open_->texts, page_part::sums));
    pages_.push_back(open_->place);
    texts_.push_back(std::make_shared<const segment_summary::page_texts>(std::move(open_->texts)));
    open_.reset();
}

shared_summary summary_builder::so_far() const {
    auto pages = pages_;
    auto texts = texts_;
    if (open_) {
        auto open_texts = open_->texts;
        open_->sums.write(text_of(open_texts, page_part::sums));
        pages.push_back(open_->place);
        texts.push_back(std::make_shared<const segment_summary::page_texts>(std::move(open_texts)));
    }
    return std::make_shared<const segment_summary>(std::move(pages), std::move(texts));
}

std::optional<std::string> summary_builder::whole() const {
    record_sums all(record_sums::start::of_stretch);
    for (const auto& texts : texts_)
        all.merge((*texts)[static_cast<std::size_t>(page_part::sums)], true);
    if (all.names_left_out()) return std::nullopt;
    std::string written;
    all.write(written);
    return written;
}

}  // namespace livelogd::summary
