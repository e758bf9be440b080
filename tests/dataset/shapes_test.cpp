#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "relic/data/dataset.h"

namespace relic {
namespace {

constexpr std::size_t shape_bytes = 3072;

std::unique_ptr<Dataset> shapes(Split split, std::int64_t count, std::uint64_t seed = 42) {
  return open_dataset({.name = "shapes", .split = split, .max_images = count, .seed = seed});
}

std::string pixels(const Dataset& dataset, std::int64_t index) {
  Image scratch;
  const ImageRef image = dataset.image(index, scratch);
  return {image.pixels, image.pixels + shape_bytes};
}

TEST(Shapes, HasTenNamedClassesInEqualShares) {
  const auto dataset = shapes(Split::train, 4000);
  ASSERT_EQ(dataset->size(), 4000);
  ASSERT_EQ(dataset->class_names().size(), 10U);
  std::array<int, 10> counts{};
  for (std::int64_t i = 0; i < dataset->size(); ++i) {
    ++counts.at(static_cast<std::size_t>(dataset->label(i)));
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, 400, 5 * std::sqrt(400 * 0.9));
  }
}

TEST(Shapes, HasItsUsualSizeWithoutALimit) {
  const auto dataset = shapes(Split::test, 0);
  EXPECT_EQ(dataset->size(), 2000);
  Image scratch;
  EXPECT_EQ(dataset->image(0, scratch).width, 32);
  EXPECT_EQ(dataset->image(0, scratch).height, 32);
}

TEST(Shapes, DrawsAnImageFromSeedSplitAndIndexAlone) {
  const auto few = shapes(Split::train, 20);
  const auto many = shapes(Split::train, 50);
  const auto other_seed = shapes(Split::train, 20, 43);
  for (std::int64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(few->label(i), many->label(i));
    EXPECT_EQ(pixels(*few, i), pixels(*many, i));
    EXPECT_NE(pixels(*few, i), pixels(*other_seed, i));
  }
}

TEST(Shapes, RepeatsNoImageWithinOrAcrossSplits) {
  std::set<std::string> seen;
  for (const Split split : {Split::train, Split::test}) {
    const auto dataset = shapes(split, 1500);
    for (std::int64_t i = 0; i < dataset->size(); ++i) {
      seen.insert(pixels(*dataset, i));
    }
  }
  EXPECT_EQ(seen.size(), 3000U);
}

std::array<double, 3> mean_colour(const Dataset& dataset, std::int64_t index) {
  const std::string bytes = pixels(dataset, index);
  std::array<double, 3> mean{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    mean.at(i % 3) += static_cast<std::uint8_t>(bytes[i]) / 1024.0;
  }
  return mean;
}

double squared_distance(const std::array<double, 3>& a, const std::array<double, 3>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    sum += (a.at(i) - b.at(i)) * (a.at(i) - b.at(i));
  }
  return sum;
}

TEST(Shapes, TellsNothingByColour) {
  const auto train = shapes(Split::train, 4000);
  const auto test = shapes(Split::test, 4000);
  std::array<std::array<double, 3>, 10> means{};
  std::array<int, 10> counts{};
  for (std::int64_t i = 0; i < train->size(); ++i) {
    const auto label = static_cast<std::size_t>(train->label(i));
    const auto colour = mean_colour(*train, i);
    ++counts.at(label);
    for (std::size_t c = 0; c < 3; ++c) {
      means.at(label).at(c) += colour.at(c);
    }
  }
  for (std::size_t label = 0; label < 10; ++label) {
    for (double& value : means.at(label)) {
      value /= counts.at(label);
    }
  }
  int right = 0;
  for (std::int64_t i = 0; i < test->size(); ++i) {
    const auto colour = mean_colour(*test, i);
    const auto nearest =
        std::ranges::min_element(means, {}, [&](const auto& mean) { return squared_distance(mean, colour); });
    right += nearest - means.begin() == test->label(i) ? 1 : 0;
  }
  const double accuracy = right / 4000.0;
  const double interval = 1.96 * std::sqrt(0.1 * 0.9 / 4000);
  std::cout << "nearest mean colour: " << 100 * accuracy << " %, chance 10 +- " << 100 * interval << '\n';
  EXPECT_NEAR(accuracy, 0.1, interval);
}

}  // namespace
}  // namespace relic
