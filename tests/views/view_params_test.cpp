// What is drawn for views, against torchvision's own draws and against the table of augmentations.
#include "relic/views/view_params.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "augment_fixtures.h"

namespace relic {
namespace {

constexpr int draws = 40'000;

struct Moments {
  double mean = 0;
  double deviation = 0;
  double mean_error = 0;  ///< standard errors of the two
  double deviation_error = 0;
  double smallest = 0;
  double largest = 0;
};

Moments moments(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Moments result;
  for (const double value : values) result.mean += value / n;
  double second = 0;
  double fourth = 0;
  for (const double value : values) {
    const double square = (value - result.mean) * (value - result.mean);
    second += square / n;
    fourth += square * square / n;
  }
  result.deviation = std::sqrt(second);
  result.mean_error = std::sqrt(second / n);
  result.deviation_error = second > 0 ? std::sqrt((fourth - second * second) / (4 * second * n)) : 0;
  result.smallest = *std::min_element(values.begin(), values.end());
  result.largest = *std::max_element(values.begin(), values.end());
  return result;
}

std::vector<ViewParams> draw_many(const ViewSpec& spec, int width, int height) {
  std::vector<ViewParams> result;
  for (int i = 0; i < draws; ++i) result.push_back(draw_view(spec, {42, i / 1000, i % 1000, spec.size}, width, height));
  return result;
}

std::vector<double> collect(const std::vector<ViewParams>& views, const std::function<double(const ViewParams&)>& of) {
  std::vector<double> values;
  values.reserve(views.size());
  for (const auto& view : views) values.push_back(of(view));
  return values;
}

TEST(DrawView, CropsAsTorchvisionsRandomResizedCropDoes) {
  const std::map<std::string, std::function<double(const ViewParams&)>> fields{
      {"top", [](const ViewParams& p) { return p.top; }},
      {"left", [](const ViewParams& p) { return p.left; }},
      {"height", [](const ViewParams& p) { return p.height; }},
      {"width", [](const ViewParams& p) { return p.width; }}};
  double worst = 0;
  int cases = 0;
  for (const auto& entry : testing::read_json(testing::test_data() / "random_resized_crop.json")) {
    ViewSpec spec;
    spec.min_scale = entry.at("scale").at(0);
    spec.max_scale = entry.at("scale").at(1);
    const int width = entry.at("width");
    const int height = entry.at("height");
    const auto views = draw_many(spec, width, height);
    const double share = std::sqrt(draws / entry.at("samples").get<double>());
    for (const auto& [name, of] : fields) {
      const Moments got = moments(collect(views, of));
      const double mean_off =
          (got.mean - entry.at("mean").at(name).get<double>()) / std::hypot(1, share) / got.mean_error;
      const double deviation_off =
          (got.deviation - entry.at("std").at(name).get<double>()) / std::hypot(1, share) / got.deviation_error;
      worst = std::max({worst, std::abs(mean_off), std::abs(deviation_off)});
      EXPECT_LT(std::abs(mean_off), 4) << name << " " << entry;
      EXPECT_LT(std::abs(deviation_off), 4) << name << " " << entry;
    }
    const Moments area = moments(collect(views, [&](const ViewParams& p) {
      return static_cast<double>(p.width) * p.height / (static_cast<double>(width) * height);
    }));
    const double area_off =
        (area.mean - entry.at("mean_area_fraction").get<double>()) / std::hypot(1, share) / area.mean_error;
    worst = std::max(worst, std::abs(area_off));
    EXPECT_LT(std::abs(area_off), 4) << entry;
    ++cases;
  }
  std::printf("crops: at most %.2f standard errors from torchvision's\n", worst);
  EXPECT_EQ(cases, 8);
}

TEST(DrawView, StaysInsideTheImage) {
  for (const auto& [width, height] : {std::pair{32, 32}, {500, 375}, {3, 200}, {1, 1}}) {
    for (const auto& p : draw_many(multi_crop_for(32, 2, 4).local, width, height)) {
      ASSERT_GE(p.top, 0);
      ASSERT_GE(p.left, 0);
      ASSERT_GE(p.width, 1);
      ASSERT_GE(p.height, 1);
      ASSERT_LE(p.left + p.width, width);
      ASSERT_LE(p.top + p.height, height);
    }
  }
}

void expect_uniform(const std::string& what, const std::vector<double>& values, double low, double high) {
  const Moments got = moments(values);
  const double mean_off = (got.mean - (low + high) / 2) / got.mean_error;
  const double deviation_off = (got.deviation - (high - low) / std::sqrt(12)) / got.deviation_error;
  std::printf("%-12s mean %.4f (%+.2f standard errors), deviation %.4f (%+.2f)\n", what.c_str(), got.mean, mean_off,
              got.deviation, deviation_off);
  EXPECT_LT(std::abs(mean_off), 4) << what;
  EXPECT_LT(std::abs(deviation_off), 4) << what;
  EXPECT_GE(got.smallest, low - 1e-6) << what;
  EXPECT_LE(got.largest, high + 1e-6) << what;
}

TEST(DrawView, DrawsFactorsUniformlyOverTheRangesOfTheTable) {
  for (const ViewSpec& spec : {multi_crop_for(32, 2, 4).global, multi_crop_for(32, 2, 4).local}) {
    const auto views = draw_many(spec, 32, 32);
    expect_uniform("brightness", collect(views, [](const auto& p) { return p.brightness; }), 0.2, 1.8);
    expect_uniform("contrast", collect(views, [](const auto& p) { return p.contrast; }), 0.2, 1.8);
    expect_uniform("saturation", collect(views, [](const auto& p) { return p.saturation; }), 0.2, 1.8);
    expect_uniform("hue", collect(views, [](const auto& p) { return p.hue; }), -0.2, 0.2);
    expect_uniform("sigma", collect(views, [](const auto& p) { return p.sigma; }), 0.1, 2);
  }
}

void expect_probability(const std::string& what, double count, double total, double probability) {
  const double error = std::sqrt(total * probability * (1 - probability));
  const double off = error > 0 ? (count - total * probability) / error : count - total * probability;
  std::printf("%-12s %.4f (%+.2f standard errors)\n", what.c_str(), count / total, off);
  EXPECT_LE(std::abs(off), error > 0 ? 4 : 0) << what;
}

double count_of(const std::vector<ViewParams>& views, bool ViewParams::*field) {
  return static_cast<double>(std::count_if(views.begin(), views.end(), [&](const auto& p) { return p.*field; }));
}

TEST(DrawView, DecidesWithTheProbabilitiesOfTheTable) {
  const MultiCropSpec spec = multi_crop_for(32, 2, 4);
  for (const bool global : {true, false}) {
    const auto views = draw_many(global ? spec.global : spec.local, 32, 32);
    expect_probability("flip", count_of(views, &ViewParams::flip), draws, 0.5);
    expect_probability("jitter", count_of(views, &ViewParams::jitter), draws, 0.8);
    expect_probability("gray", count_of(views, &ViewParams::gray), draws, 0.2);
    expect_probability("solarize", count_of(views, &ViewParams::solarize), draws, global ? 0.2 : 0);
  }
}

TEST(DrawView, DrawsDecisionsIndependently) {
  const auto views = draw_many(multi_crop_for(32, 2, 4).global, 32, 32);
  const auto both = [&](bool ViewParams::*a, bool ViewParams::*b) {
    return static_cast<double>(std::count_if(views.begin(), views.end(), [&](const auto& p) { return p.*a && p.*b; }));
  };
  expect_probability("flip, jitter", both(&ViewParams::flip, &ViewParams::jitter), draws, 0.4);
  expect_probability("jitter, gray", both(&ViewParams::jitter, &ViewParams::gray), draws, 0.16);
  expect_probability("gray, solar", both(&ViewParams::gray, &ViewParams::solarize), draws, 0.04);
}

TEST(DrawView, OrdersTheJitterInAll24WaysAlike) {
  std::map<std::array<JitterOp, 4>, int> counts;
  for (const auto& p : draw_many(ViewSpec{}, 32, 32)) ++counts[p.order];
  EXPECT_EQ(counts.size(), 24U);
  const double expected = draws / 24.0;
  double chi_squared = 0;
  for (const auto& [order, count] : counts) {
    EXPECT_LT(std::abs(count - expected), 4 * std::sqrt(expected * 23 / 24));
    chi_squared += (count - expected) * (count - expected) / expected;
  }
  std::printf("orders: chi squared %.1f at 23 degrees of freedom\n", chi_squared);
  EXPECT_LT(chi_squared, 23 + 4 * std::sqrt(2 * 23));
}

bool same(const ViewParams& a, const ViewParams& b) {
  return a.top == b.top && a.left == b.left && a.height == b.height && a.width == b.width && a.flip == b.flip &&
         a.jitter == b.jitter && a.order == b.order && a.brightness == b.brightness && a.contrast == b.contrast &&
         a.saturation == b.saturation && a.hue == b.hue && a.gray == b.gray && a.sigma == b.sigma &&
         a.solarize == b.solarize;
}

TEST(DrawView, IsAPureFunctionOfItsKey) {
  const ViewSpec spec;
  const auto first = draw_view(spec, {1, 2, 3, 4}, 96, 96);
  draw_view(spec, {9, 9, 9, 9}, 96, 96);
  EXPECT_TRUE(same(first, draw_view(spec, {1, 2, 3, 4}, 96, 96)));
}

TEST(DrawView, DiffersWithEachPartOfTheKey) {
  const ViewSpec spec;
  const auto view = draw_view(spec, {1, 2, 3, 4}, 96, 96);
  EXPECT_NE(view.brightness, draw_view(spec, {5, 2, 3, 4}, 96, 96).brightness);
  EXPECT_NE(view.brightness, draw_view(spec, {1 + (1ULL << 32U), 2, 3, 4}, 96, 96).brightness);
  EXPECT_NE(view.brightness, draw_view(spec, {1, 5, 3, 4}, 96, 96).brightness);
  EXPECT_NE(view.brightness, draw_view(spec, {1, 2, 5, 4}, 96, 96).brightness);
  EXPECT_NE(view.brightness, draw_view(spec, {1, 2, 3, 5}, 96, 96).brightness);
}

TEST(DrawView, FallsBackToTheCentreOfVeryLongImages) {
  const MultiCropSpec spec = multi_crop_for(32, 2, 4);
  // No crop of a tenth of the area or more, and of an aspect ratio up to 4/3, fits 1000 × 10 pixels.
  const auto wide = draw_view(spec.global, {42, 0, 0, 0}, 1000, 10);
  EXPECT_EQ(wide.height, 10);
  EXPECT_EQ(wide.width, 13);
  EXPECT_EQ(wide.top, 0);
  EXPECT_EQ(wide.left, 493);
  const auto tall = draw_view(spec.global, {42, 0, 0, 0}, 10, 1000);
  EXPECT_EQ(tall.width, 10);
  EXPECT_EQ(tall.height, 13);
  EXPECT_EQ(tall.top, 493);
  EXPECT_EQ(tall.left, 0);
}

}  // namespace
}  // namespace relic
