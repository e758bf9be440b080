// The pictures and parameters of tests/data/augment and augment_large, which PIL and torchvision made.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "relic/data/image.h"

namespace relic::testing {

inline std::filesystem::path test_data() { return RELIC_TEST_DATA; }

inline nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  return nlohmann::json::parse(file);
}

inline Image read_png(const std::filesystem::path& path) {
  const cv::Mat bgr = cv::imread(path.string(), cv::IMREAD_COLOR);
  EXPECT_FALSE(bgr.empty()) << path;
  cv::Mat rgb;
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  Image image;
  image.resize(rgb.cols, rgb.rows);
  std::copy_n(rgb.ptr(), image.pixels.size(), image.pixels.begin());
  return image;
}

/// How far two pictures of one size are apart, in steps of 1/255.
struct Distance {
  int largest = 0;
  double mean = 0;
  std::vector<std::size_t> counts = std::vector<std::size_t>(256);  ///< values by difference
  std::size_t values = 0;

  void add(const std::vector<std::uint8_t>& got, const std::vector<std::uint8_t>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const int difference = std::abs(int{got[i]} - int{expected[i]});
      largest = std::max(largest, difference);
      ++counts[static_cast<std::size_t>(difference)];
      mean = (mean * static_cast<double>(values) + difference) / static_cast<double>(values + 1);
      ++values;
    }
  }
  /// Share of the values that differ by no more than `steps`.
  [[nodiscard]] double share_within(int steps) const {
    std::size_t within = 0;
    for (int i = 0; i <= steps; ++i) within += counts[static_cast<std::size_t>(i)];
    return static_cast<double>(within) / static_cast<double>(values);
  }
  void print(const std::string& what) const {
    std::printf("%-16s largest %d/255, mean %.5f/255, %.4f %% equal\n", what.c_str(), largest, mean,
                100 * share_within(0));
  }
};

}  // namespace relic::testing
