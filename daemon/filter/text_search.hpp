// SPDX-License-Identifier: MIT
// Finds a text in another one, ASCII letters in either case.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::filter {

/// Immutable after construction: may be shared between threads. Searching allocates nothing, and takes time
/// proportional to the text whatever the two hold.
class text_search {
  public:
    explicit text_search(std::string_view wanted);

    [[nodiscard]] bool occurs_in(std::string_view text) const;

    /// What is searched for, ASCII letters in lower case.
    [[nodiscard]] const std::string& wanted() const { return wanted_; }

  private:
    /// A byte of the wanted text that is looked for in eight places of the text at a time.
    struct probe {
        std::size_t at = 0;       ///< its place in the wanted text
        std::uint64_t bits = 0;   ///< set in every byte of the text before it is compared: a letter's case
        std::uint64_t value = 0;  ///< eight times the byte
    };

    [[nodiscard]] probe probe_at(std::size_t at) const;
    [[nodiscard]] std::size_t alike_at(const char* text) const;
    [[nodiscard]] bool occurs_steadily(std::string_view text) const;

    std::string wanted_;
    std::array<probe, 2> probes_;           ///< the two bytes that are least common in records
    std::vector<std::uint32_t> fallbacks_;  ///< of Knuth, Morris and Pratt: see occurs_steadily()
};

}  // namespace livelogd::filter
