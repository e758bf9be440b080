// Each operation by itself against what PIL and torchvision made of the same picture.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "augment_fixtures.h"
#include "relic/core/random.h"
#include "views/blur.h"
#include "views/color.h"
#include "views/resize.h"

namespace relic {
namespace {

using ops::Planes;
using ops::SerialGroup;
using testing::Distance;

std::vector<std::uint8_t> to_planes(const Image& image) {
  const std::size_t pixels = image.pixels.size() / 3;
  std::vector<std::uint8_t> planes(image.pixels.size());
  for (std::size_t i = 0; i < planes.size(); ++i) planes[(i % 3) * pixels + i / 3] = image.pixels[i];
  return planes;
}

struct Resized {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;
  bool flip = false;
};

/// Crop, resize to width × height, mirror; interleaved.
std::vector<std::uint8_t> resize(const Image& image, const Resized& crop, int out_width, int out_height) {
  const SerialGroup group;
  const auto make_axis = [&](int in, int out, std::vector<int>& memory) {
    const int taps = ops::resize_taps(in, out);
    memory.resize(static_cast<std::size_t>(out) * static_cast<std::size_t>(taps + 1));
    const ops::ResizeAxis axis{in, out, taps, memory.data(), memory.data() + out};
    ops::fill_resize_axis(group, axis);
    return axis;
  };
  std::vector<int> x_memory;
  std::vector<int> y_memory;
  const auto x = make_axis(crop.width, out_width, x_memory);
  const auto y = make_axis(crop.height, out_height, y_memory);
  const int crop_row = ops::padded_row<SerialGroup>(3 * crop.width + 4);
  const int row = ops::padded_row<SerialGroup>(4 * out_width);
  const auto bytes = [](int rows, int length) {
    return std::vector<std::uint8_t>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(length));
  };
  auto cropped = bytes(crop.height + 1, crop_row);
  auto resized = bytes(out_height, row);
  auto planes = bytes(out_height, 3 * out_width);
  auto out = planes;
  const auto image_row = std::ptrdiff_t{3} * image.width;
  ops::copy_rows(group, image.pixels.data() + crop.top * image_row + std::ptrdiff_t{3} * crop.left, image_row,
                 crop.height, 3 * crop.width, cropped.data(), crop_row);
  if (ops::rows_first(crop.width, crop.height, out_width, out_height)) {
    auto half = bytes(out_height, crop_row);
    ops::resize_rows(group, cropped.data(), crop_row, y, half.data(), crop_row);
    ops::resize_columns(group, half.data(), crop_row, out_height, x, crop.flip, resized.data(), row);
  } else {
    auto half = bytes(crop.height + 1, row);
    ops::resize_columns(group, cropped.data(), crop_row, crop.height, x, crop.flip, half.data(), row);
    ops::resize_rows(group, half.data(), row, y, resized.data(), row);
  }
  ops::split_planes(group, resized.data(), row, out_width, out_height, planes.data());
  ops::interleave(group, Planes{planes.data(), out_width * out_height}, out.data());
  return out;
}

void blur(const Image& image, int kernel, float sigma, std::vector<std::uint8_t>& planes) {
  const SerialGroup group;
  const int radius = kernel / 2;
  std::vector<float> weights(static_cast<std::size_t>(radius) + 1);
  const auto floats = [&](int width) {
    return std::vector<float>(static_cast<std::size_t>(image.height) *
                              static_cast<std::size_t>(ops::padded_row<SerialGroup>(width)));
  };
  auto padded = floats(image.width + 2 * radius);
  padded.resize(padded.size() + SerialGroup::lanes);
  auto rows = floats(image.width);
  const int used = ops::fill_blur_weights(group, radius, sigma, weights.data());
  for (std::size_t plane = 0; plane < 3; ++plane) {
    ops::blur_plane(group, planes.data() + plane * planes.size() / 3, image.width, image.height, used,
                    {weights.data(), padded.data(), rows.data()});
  }
}

std::vector<std::uint8_t> apply(const std::string& op, const nlohmann::json& params, const Image& image) {
  if (op == "resized_crop") {
    const int size = params.at("size");
    return resize(image, {params.at("top"), params.at("left"), params.at("height"), params.at("width")}, size, size);
  }
  if (op == "hflip") return resize(image, {0, 0, image.height, image.width, true}, image.width, image.height);
  const SerialGroup group;
  auto data = to_planes(image);
  const Planes planes{data.data(), image.width * image.height};
  const float factor = params.value("factor", 0.0F);
  if (op == "brightness") ops::adjust_brightness(group, planes, factor);
  if (op == "contrast") ops::adjust_contrast(group, planes, factor);
  if (op == "saturation") ops::adjust_saturation(group, planes, factor);
  if (op == "hue") ops::shift_hue(group, planes, ops::hue_shift(factor));
  if (op == "grayscale") ops::to_gray(group, planes);
  if (op == "solarize") ops::solarize(group, planes, params.at("threshold"));
  if (op == "gaussian_blur") blur(image, params.at("kernel"), params.at("sigma"), data);
  std::vector<std::uint8_t> out(data.size());
  ops::interleave(group, planes, out.data());
  return out;
}

struct Tolerance {
  const char* op;
  int steps;
  double share;
  int fixtures;
};

class SingleOp : public ::testing::TestWithParam<Tolerance> {};

TEST_P(SingleOp, MatchesPilOnEachOfItsFixtures) {
  const Tolerance& tolerance = GetParam();
  const auto folder = testing::test_data() / "augment";
  Distance all;
  int seen = 0;
  for (const auto& entry : testing::read_json(folder / "index.json")) {
    if (entry.at("op") != tolerance.op) continue;
    const Image input = testing::read_png(folder / entry.at("input").get<std::string>());
    const Image expected = testing::read_png(folder / entry.at("output").get<std::string>());
    Distance distance;
    const auto got = apply(tolerance.op, entry.at("params"), input);
    distance.add(got, expected.pixels);
    all.add(got, expected.pixels);
    EXPECT_GE(distance.share_within(tolerance.steps), tolerance.share) << entry;
    ++seen;
  }
  all.print(tolerance.op);
  EXPECT_EQ(seen, tolerance.fixtures);
}

INSTANTIATE_TEST_SUITE_P(Views, SingleOp,
                         ::testing::Values(Tolerance{"resized_crop", 0, 1, 18}, Tolerance{"hflip", 0, 1, 3},
                                           Tolerance{"brightness", 0, 1, 12}, Tolerance{"contrast", 0, 1, 12},
                                           Tolerance{"saturation", 0, 1, 12}, Tolerance{"hue", 0, 1, 12},
                                           Tolerance{"grayscale", 0, 1, 3}, Tolerance{"solarize", 0, 1, 3},
                                           Tolerance{"gaussian_blur", 1, 0.999, 18}),
                         [](const auto& op) { return std::string(op.param.op); });

TEST(SingleOps, TheirFixturesAndTheViewsAreAllThereAre) {
  std::map<std::string, int> counts;
  for (const auto& entry : testing::read_json(testing::test_data() / "augment" / "index.json"))
    ++counts[entry.at("op")];
  EXPECT_EQ(counts, (std::map<std::string, int>{{"resized_crop", 18},
                                                {"hflip", 3},
                                                {"brightness", 12},
                                                {"contrast", 12},
                                                {"saturation", 12},
                                                {"hue", 12},
                                                {"grayscale", 3},
                                                {"solarize", 3},
                                                {"gaussian_blur", 18},
                                                {"view", 18}}));
}

/// PIL's hsv conversions as its source has them, in double precision.
std::array<int, 3> hue_shifted_by_pil(int red, int green, int blue, int shift) {
  const int high = std::max({red, green, blue});
  const int low = std::min({red, green, blue});
  if (high == low) return {high, high, high};
  const auto range = static_cast<float>(high - low);
  const float r = static_cast<float>(high - red) / range;
  const float g = static_cast<float>(high - green) / range;
  const float b = static_cast<float>(high - blue) / range;
  float h = 0;
  if (red == high) {
    h = b - g;
  } else if (green == high) {
    h = static_cast<float>(2.0 + r - b);
  } else {
    h = static_cast<float>(4.0 + g - r);
  }
  h = static_cast<float>(std::fmod(h / 6.0 + 1.0, 1.0));
  const int hue = (static_cast<int>(h * 255.0) + shift) & 255;
  const int saturation = static_cast<int>(range / static_cast<float>(high) * 255.0);
  if (saturation == 0) return {high, high, high};
  const int sextant = static_cast<int>(std::floor(hue * 6.0 / 255.0));
  const auto f = static_cast<float>(hue * 6.0 / 255.0 - sextant);
  const auto s = static_cast<float>(saturation / 255.0);
  const int p = static_cast<int>(std::lround(high * (1.0 - s)));
  const int q = static_cast<int>(std::lround(high * (1.0 - s * f)));
  const int t = static_cast<int>(std::lround(high * (1.0 - s * (1.0 - f))));
  const std::array<std::array<int, 3>, 6> colors{
      {{high, t, p}, {q, high, p}, {p, high, t}, {p, q, high}, {t, p, high}, {high, p, q}}};
  return colors[static_cast<std::size_t>(sextant % 6)];
}

TEST(ShiftHue, GivesPilsBytesForColoursAllOverTheCube) {
  std::vector<std::array<int, 3>> colors;
  for (int red = 0; red < 256; red += 3) {
    for (int green = 0; green < 256; green += 3) {
      for (int blue = 0; blue < 256; blue += 3) colors.push_back({red, green, blue});
    }
  }
  const std::size_t pixels = colors.size();
  for (const int shift : {0, 1, 51, 205, 255}) {
    std::vector<std::uint8_t> planes(3 * pixels);
    for (std::size_t i = 0; i < planes.size(); ++i) {
      planes[i] = static_cast<std::uint8_t>(colors[i % pixels][i / pixels]);
    }
    ops::shift_hue(SerialGroup{}, Planes{planes.data(), static_cast<int>(pixels)}, shift);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < pixels; ++i) {
      const auto expected = hue_shifted_by_pil(colors[i][0], colors[i][1], colors[i][2], shift);
      for (std::size_t c = 0; c < 3; ++c) wrong += planes[c * pixels + i] != expected[c];
    }
    EXPECT_EQ(wrong, 0U) << "shift " << shift;
  }
}

TEST(HueShift, CutsTowardsZeroAndWrapsNegativeShifts) {
  EXPECT_EQ(ops::hue_shift(0.2F), 51);
  EXPECT_EQ(ops::hue_shift(0.03F), 7);
  EXPECT_EQ(ops::hue_shift(-0.07F), 256 - 17);
  EXPECT_EQ(ops::hue_shift(0), 0);
}

TEST(Resize, IsTheWeightedMeanOfATriangleForSizesDownToOnePixel) {
  CounterRng rng(1, 0, 0, 0);
  int largest = 0;  // the order of the two axes does not matter to a single row
  for (const int in : {1, 2, 3, 7, 13, 40}) {
    for (const int out : {1, 2, 3, 5, 13, 41}) {
      Image image;
      image.resize(in, 1);
      for (auto& value : image.pixels) value = static_cast<std::uint8_t>(rng.below(256));
      const auto got = resize(image, {0, 0, 1, in}, out, 1);
      const double support = std::max(1.0, static_cast<double>(in) / out);
      for (int x = 0; x < out; ++x) {
        for (int c = 0; c < 3; ++c) {
          double sum = 0;
          double total = 0;
          for (int j = 0; j < in; ++j) {
            const double place = std::abs(j + 0.5 - (x + 0.5) * in / out) / support;
            const double weight = std::max(0.0, 1 - place);
            sum += weight * image.pixels[std::size_t{3} * static_cast<std::size_t>(j) + static_cast<std::size_t>(c)];
            total += weight;
          }
          const int expected = static_cast<int>(std::floor(sum / total + 0.5));
          largest = std::max(
              largest, std::abs(expected -
                                int{got[std::size_t{3} * static_cast<std::size_t>(x) + static_cast<std::size_t>(c)]}));
        }
      }
    }
  }
  std::printf("resize of single rows: largest difference %d/255\n", largest);
  EXPECT_LE(largest, 1);
}

}  // namespace
}  // namespace relic
