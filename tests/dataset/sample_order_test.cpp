#include "relic/data/sample_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <numeric>
#include <vector>

#include "relic/core/error.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

std::vector<std::int64_t> epoch(SampleOrder& order, std::int64_t number) {
  std::vector<std::int64_t> all;
  for (std::int64_t step = 0; step < order.steps_per_epoch(); ++step) {
    const auto batch = order.batch(number * order.steps_per_epoch() + step);
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

TEST(SampleOrder, TakesEverySampleOncePerEpoch) {
  SampleOrder order(60, 12, 1);
  std::vector<std::int64_t> expected(60);
  std::iota(expected.begin(), expected.end(), 0);
  for (std::int64_t number = 0; number < 3; ++number) {
    EXPECT_THAT(epoch(order, number), ::testing::UnorderedElementsAreArray(expected));
  }
}

TEST(SampleOrder, DropsTheLastIncompleteBatch) {
  SampleOrder order(100, 32, 1);
  EXPECT_EQ(order.steps_per_epoch(), 3);
  std::vector<std::int64_t> samples = epoch(order, 0);
  EXPECT_EQ(samples.size(), 96U);
  std::ranges::sort(samples);
  EXPECT_EQ(std::ranges::adjacent_find(samples), samples.end());
  // The samples that were left out change with the epoch.
  std::vector<std::int64_t> next = epoch(order, 1);
  std::ranges::sort(next);
  EXPECT_NE(samples, next);
}

TEST(SampleOrder, DependsOnSeedEpochAndStepAlone) {
  SampleOrder forward(1000, 10, 5);
  const auto early = forward.batch(3);
  const auto late = forward.batch(250);
  EXPECT_EQ(forward.batch(3), early);
  SampleOrder fresh(1000, 10, 5);
  EXPECT_EQ(fresh.batch(250), late);
  EXPECT_NE(SampleOrder(1000, 10, 6).batch(3), early);
  EXPECT_NE(forward.batch(103), early);
}

TEST(SampleOrder, PutsEverySampleEverywhereEquallyOften) {
  // Chi-squared of (sample, place) over many epochs of a small set.
  constexpr int size = 8;
  constexpr int epochs = 8000;
  SampleOrder order(size, size, 9);
  std::array<std::array<int, size>, size> counts{};
  for (int number = 0; number < epochs; ++number) {
    const auto samples = order.batch(number);
    for (std::size_t place = 0; place < size; ++place) {
      ++counts.at(place).at(static_cast<std::size_t>(samples[place]));
    }
  }
  double chi_squared = 0;
  for (const auto& row : counts) {
    for (const int count : row) {
      chi_squared += (count - 1000.0) * (count - 1000.0) / 1000.0;
    }
  }
  std::cout << "chi-squared " << chi_squared << " with 49 degrees of freedom\n";
  EXPECT_LT(chi_squared, 101);  // exceeded by chance once in 50,000
}

TEST(SampleOrder, RefusesABatchThatTheSetDoesNotFill) {
  const std::string message = message_of<UsageError>([] { const SampleOrder order(100, 256, 1); });
  EXPECT_THAT(message, HasSubstr("has only 100 images, fewer than one batch of 256: choose a smaller --batch_size"));
  EXPECT_THAT(message_of<UsageError>([] { const SampleOrder order(100, 0, 1); }),
              HasSubstr("a batch of 0 images: --batch_size must be at least 1"));
}

}  // namespace
}  // namespace relic
