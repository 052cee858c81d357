// SPDX-License-Identifier: MIT
#include "daemon/summary/duration_histogram.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using livelogd::summary::duration_histogram;

namespace {

/// The nearest rank by the book: the smallest value such that at least p in a hundred are not larger.
std::uint64_t exact_percentile(const std::vector<std::uint64_t>& sorted, unsigned percent) {
    for (std::size_t i = 0; i < sorted.size(); ++i)
        if ((i + 1) * 100 >= sorted.size() * percent) return sorted[i];
    return sorted.back();
}

duration_histogram of(const std::vector<std::uint64_t>& values) {
    duration_histogram histogram;
    for (const auto value : values)
        histogram.add(value);
    return histogram;
}

}  // namespace

TEST_CASE("an empty histogram has no values") {
    CHECK(duration_histogram().count() == 0);
}

TEST_CASE("one value is every percentile, exactly") {
    for (const std::uint64_t value :
         {0ull, 1ull, 255ull, 256ull, 257ull, 45670ull, 9'200'000'000'000'000'000ull, (1ull << 63) - 1}) {
        const auto histogram = of({value});
        CHECK(histogram.count() == 1);
        CHECK(histogram.max() == value);
        for (const unsigned percent : {1u, 50u, 99u, 100u})
            CHECK(histogram.percentile(percent) == value);
    }
}

TEST_CASE("values below 256 are exact, by nearest rank") {
    const auto ten = of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    CHECK(ten.percentile(1) == 1);
    CHECK(ten.percentile(10) == 1);
    CHECK(ten.percentile(11) == 2);
    CHECK(ten.percentile(50) == 5);
    CHECK(ten.percentile(90) == 9);
    CHECK(ten.percentile(91) == 10);
    CHECK(ten.percentile(99) == 10);
    CHECK(ten.percentile(100) == 10);
    const auto two = of({200, 100});
    CHECK(two.percentile(50) == 100);
    CHECK(two.percentile(51) == 200);
}

TEST_CASE("every bucket is within 0.4 % of each of its values") {
    // One value between two others that keep the limits of the histogram away from it.
    for (int bits = 1; bits < 63; ++bits) {
        const std::uint64_t octave = 1ull << bits;
        for (const std::uint64_t value :
             {octave - 1, octave, octave + 1, octave + octave / 3, octave + octave / 2, octave + octave / 128,
              octave + (octave - 1)}) {
            const auto near = of({0, value, (1ull << 63) - 1}).percentile(50);
            const double off = std::abs(static_cast<double>(near) - static_cast<double>(value));
            CAPTURE(value, near);
            CHECK(off <= static_cast<double>(value) * 0.004);
            if (value < 256) CHECK(near == value);
        }
    }
}

TEST_CASE("percentiles of random values are within 1 % of the exact ones") {
    std::mt19937_64 random(4711);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::uint64_t> values;
        const std::size_t count = 1 + random() % 2000;
        std::lognormal_distribution<double> spread(3 + round % 20, 0.2 + round % 7);
        for (std::size_t i = 0; i < count; ++i)
            values.push_back(static_cast<std::uint64_t>(std::min(spread(random), 9.2e18)));
        const auto histogram = of(values);
        std::sort(values.begin(), values.end());
        CHECK(histogram.max() == values.back());
        for (unsigned percent = 1; percent <= 100; ++percent) {
            const auto exact = static_cast<double>(exact_percentile(values, percent));
            const auto near = static_cast<double>(histogram.percentile(percent));
            CAPTURE(round, count, percent, exact, near);
            REQUIRE(std::abs(near - exact) <= exact * 0.01);
        }
    }
}

TEST_CASE("merged histograms are the histogram of all values") {
    std::mt19937_64 random(1);
    for (int round = 0; round < 50; ++round) {
        std::vector<std::uint64_t> values;
        duration_histogram merged;
        for (std::size_t part = 0; part < 5; ++part) {
            duration_histogram one;
            for (std::size_t i = random() % 40; i > 0; --i) {
                values.push_back(random() >> (1 + random() % 63));
                one.add(values.back());
            }
            merged.merge(one);
        }
        const auto whole = of(values);
        CHECK(merged.count() == values.size());
        if (values.empty()) continue;
        CHECK(merged.max() == whole.max());
        for (unsigned percent = 1; percent <= 100; ++percent)
            REQUIRE(merged.percentile(percent) == whole.percentile(percent));
    }
}

TEST_CASE("merging with an empty histogram changes nothing, either way") {
    auto some = of({300, 70'000});
    some.merge(duration_histogram());
    CHECK(some.count() == 2);
    CHECK(some.percentile(1) == of({300, 70'000}).percentile(1));
    duration_histogram none;
    none.merge(some);
    CHECK(none.count() == 2);
    CHECK(none.max() == 70'000);
    CHECK(none.percentile(1) == some.percentile(1));
    none.merge(duration_histogram());
    CHECK(none.count() == 2);
}
