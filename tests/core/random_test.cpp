#include "relic/core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <set>
#include <vector>

namespace relic {
namespace {

TEST(Splitmix64, GivesThePublishedSequence) {
  // The generator's first outputs from seed 1234567 (Vigna's splitmix64.c).
  const std::vector<std::uint64_t> expected = {6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                                               4593380528125082431U, 16408922859458223821U};
  std::uint64_t state = 1234567;
  for (const std::uint64_t value : expected) {
    EXPECT_EQ(splitmix64(state), value);
    state += 0x9E3779B97F4A7C15U;
  }
  EXPECT_EQ(splitmix64(0), 0xE220A8397B1DCDAFU);
}

TEST(Philox, GivesTheKnownAnswersOfRandom123) {
  // Random123's kat_vectors, philox4x32 with 10 rounds.
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(CounterRng, WalksThroughTheBlocksOfItsName) {
  const std::uint64_t seed = 0x299f31d0a4093822U;
  CounterRng rng(seed, 11, 22, 33);
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const std::uint32_t word : philox4x32({block, 11, 22, 33}, {0xa4093822, 0x299f31d0})) {
      EXPECT_EQ(rng.next(), word);
    }
  }
}

TEST(CounterRng, DiffersWithEveryPartOfItsName) {
  std::set<std::uint32_t> first;
  first.insert(CounterRng(1, 2, 3, 4).next());
  first.insert(CounterRng(2, 2, 3, 4).next());
  first.insert(CounterRng(std::uint64_t{1} << 32U, 2, 3, 4).next());
  first.insert(CounterRng(1, 3, 3, 4).next());
  first.insert(CounterRng(1, 2, 4, 4).next());
  first.insert(CounterRng(1, 2, 3, 5).next());
  EXPECT_EQ(first.size(), 6U);
}

TEST(CounterRng, HasUniformMoments) {
  constexpr int count = 200000;
  CounterRng rng(42, 0, 0, 0);
  double sum = 0;
  double squares = 0;
  double products = 0;
  float previous = 0.5F;
  for (int i = 0; i < count; ++i) {
    const float value = rng.uniform();
    ASSERT_GE(value, 0.0F);
    ASSERT_LT(value, 1.0F);
    sum += value;
    squares += value * value;
    products += (value - 0.5) * (previous - 0.5);
    previous = value;
  }
  const double mean = sum / count;
  const double variance = squares / count - mean * mean;
  const double correlation = products / count * 12;
  std::cout << "mean off by " << mean - 0.5 << ", variance by " << variance - 1.0 / 12 << ", correlation "
            << correlation << '\n';
  // Five standard errors.
  EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(1.0 / 12 / count));
  EXPECT_NEAR(variance, 1.0 / 12, 5 * std::sqrt(1.0 / 180 / count));
  EXPECT_NEAR(correlation, 0, 5 / std::sqrt(count));
}

TEST(CounterRng, IsUniformAcrossNamesToo) {
  // One number of each of many streams, as the views take them: bins by chi-squared.
  constexpr int bins = 64;
  constexpr std::uint32_t streams = 64000;
  std::array<int, bins> counts{};
  for (std::uint32_t stream = 0; stream < streams; ++stream) {
    CounterRng rng(7, stream / 1000, stream % 1000, 3);
    ++counts.at(rng.below(bins));
  }
  double chi_squared = 0;
  for (const int count : counts) {
    const double expected = static_cast<double>(streams) / bins;
    chi_squared += (count - expected) * (count - expected) / expected;
  }
  std::cout << "chi-squared " << chi_squared << " with " << bins - 1 << " degrees of freedom\n";
  EXPECT_LT(chi_squared, 118);  // exceeded by chance once in 30,000
  EXPECT_GT(chi_squared, 26);
}

TEST(CounterRng, KeepsWithinTheAskedRange) {
  CounterRng rng(3, 0, 0, 0);
  for (int i = 0; i < 10000; ++i) {
    const float value = rng.uniform(-2.5F, 0.5F);
    ASSERT_GE(value, -2.5F);
    ASSERT_LT(value, 0.5F);
    ASSERT_LT(rng.below(3), 3U);
    ASSERT_EQ(rng.below(1), 0U);
  }
}

}  // namespace
}  // namespace relic
