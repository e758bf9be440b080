// torchvision's Gaussian blur of 8-bit planes, as phases (see group.h): float32, reflected edges, rounded at the end.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "views/group.h"

namespace relic::ops {

/// Working memory of a blur.
struct BlurMemory {
  float* weights = nullptr;  ///< [radius + 1], of the middle and to both sides of it
  float* padded = nullptr;   ///< [height, padded_row(width + 2·radius)]
  float* rows = nullptr;     ///< [height, padded_row(width)]
};

/// Index in 0 … size−1 of what lies at i, mirrored about the first and the last element.
constexpr int reflected(int i, int size) {
  const int positive = i < 0 ? -i : i;
  return positive < size ? positive : 2 * (size - 1) - positive;
}

template <typename Real>
constexpr Real bell(int distance, Real sigma) {
  const Real x = static_cast<Real>(distance) / sigma;
  return std::exp(-x * x / 2);
}

/// Fills the weights of a kernel and returns the radius that matters: weights below 2⁻²⁴ of the middle one are lost in
/// a float32 sum.
template <typename Group>
constexpr int fill_blur_weights(const Group& group, int radius, float sigma, float* weights) {
  int used = radius;
  while (used > 0 && bell(used, sigma) < 0x1p-24F) --used;
  float total = 1;
  for (int k = 1; k <= used; ++k) total += 2 * bell(k, sigma);
  group.for_each(used + 1, [=](int k) { weights[k] = bell(k, sigma) / total; });
  return used;
}

/// Rounds half to even.
constexpr std::uint8_t rounded_byte(float value) {
  constexpr float shift = 0x1.8p23F;  // leaves no bits after the point
  return static_cast<std::uint8_t>(static_cast<int>((value + shift) - shift));
}

/// Blurs one plane [height, width] in place.
template <typename Group>
constexpr void blur_plane(const Group& group, std::uint8_t* plane, int width, int height, int radius,
                          const BlurMemory& memory) {
  constexpr int lanes = Group::lanes;
  const int padded_stride = padded_row<Group>(width + 2 * radius);
  const int stride = padded_row<Group>(width);
  float* middle = memory.padded + radius;
  group.for_each(height, width, [=](int y, int x) {
    middle[static_cast<std::ptrdiff_t>(y) * padded_stride + x] =
        static_cast<float>(plane[static_cast<std::ptrdiff_t>(y) * width + x]);
  });
  group.for_each(height, 2 * radius, [=](int y, int i) {
    const int x = i < radius ? i - radius : width + i - radius;
    float* row = middle + static_cast<std::ptrdiff_t>(y) * padded_stride;
    row[x] = row[reflected(x, width)];
  });
  group.for_each(height, lane_blocks<Group>(width), [=](int y, int block) {
    const float* in = middle + static_cast<std::ptrdiff_t>(y) * padded_stride + block * lanes;
    std::array<float, lanes> sums{};
    for (int i = 0; i < lanes; ++i) sums[i] = memory.weights[0] * in[i];
    for (int k = 1; k <= radius; ++k) {
      for (int i = 0; i < lanes; ++i) sums[i] += memory.weights[k] * (in[i - k] + in[i + k]);
    }
    float* out = memory.rows + static_cast<std::ptrdiff_t>(y) * stride + block * lanes;
    for (int i = 0; i < lanes; ++i) out[i] = sums[i];
  });
  group.for_each(height, lane_blocks<Group>(width), [=](int y, int block) {
    const int left = block * lanes;
    const float* in = memory.rows + left;
    std::array<float, lanes> sums{};
    for (int i = 0; i < lanes; ++i) sums[i] = memory.weights[0] * in[static_cast<std::ptrdiff_t>(y) * stride + i];
    for (int k = 1; k <= radius; ++k) {
      const float* above = in + static_cast<std::ptrdiff_t>(reflected(y - k, height)) * stride;
      const float* below = in + static_cast<std::ptrdiff_t>(reflected(y + k, height)) * stride;
      for (int i = 0; i < lanes; ++i) sums[i] += memory.weights[k] * (above[i] + below[i]);
    }
    std::array<std::uint8_t, lanes> bytes{};
    for (int i = 0; i < lanes; ++i) bytes[i] = rounded_byte(sums[i]);
    std::uint8_t* out = plane + static_cast<std::ptrdiff_t>(y) * width + left;
    if (left + lanes <= width) {
      for (int i = 0; i < lanes; ++i) out[i] = bytes[i];
    } else {
      for (int i = 0; left + i < width; ++i) out[i] = bytes[i];
    }
  });
}

}  // namespace relic::ops
