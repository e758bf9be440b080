// PIL's bilinear, antialiased resize of a crop, as phases (see group.h): along x and along y, rounded to 8 bits each.
// Pixels take four bytes here, of which the fourth says nothing: vector units like that better than three.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "views/group.h"

namespace relic::ops {

constexpr int resize_precision = 22;  ///< bits after the point of PIL's weights

/// Whether Pillow (since version 13; never before) resizes along y first.
constexpr bool rows_first(int in_width, int in_height, int out_width, int out_height) {
  return in_height > out_height && in_height - out_height > 2 * (in_width - out_width);
}

/// Which inputs make up each output along one axis, and with what weights.
struct ResizeAxis {
  int in = 0;
  int out = 0;
  int taps = 0;            ///< inputs of every output, even; where fewer matter, the others weigh nothing
  int* first = nullptr;    ///< [out]
  int* weights = nullptr;  ///< [out, taps], fixed point
};

/// A triangle of support s = max(1, in/out) to both sides covers at most ⌈2s⌉ pixels.
constexpr int resize_taps(int in, int out) {
  const int covered = in > out ? (2 * in + out - 1) / out : 2;
  return ((covered < in ? covered : in) + 1) / 2 * 2;
}

constexpr double triangle(double x) {
  const double distance = x < 0 ? -x : x;
  return distance < 1 ? 1 - distance : 0;
}

constexpr std::uint8_t resized_byte(int sum) {
  return static_cast<std::uint8_t>(sum >> resize_precision);  // weights sum to 1: within 0 … 255
}

template <typename Group>
constexpr void fill_resize_axis(const Group& group, const ResizeAxis& axis) {
  group.for_each(axis.out, [=](int i) {
    const double scale = static_cast<double>(axis.in) / axis.out;
    const double support = scale < 1 ? 1 : scale;
    const double inverse = 1 / support;
    const double center = (i + 0.5) * scale;
    const int left = static_cast<int>(center - support + 0.5);
    const int last = axis.in > axis.taps ? axis.in - axis.taps : 0;
    const int from = left < last ? left : last;
    const int first = from > 0 ? from : 0;
    const int count = axis.in - first < axis.taps ? axis.in - first : axis.taps;
    double total = 0;
    for (int k = 0; k < count; ++k) total += triangle((k + first - center + 0.5) * inverse);
    int* weights = axis.weights + static_cast<std::ptrdiff_t>(i) * axis.taps;
    for (int k = 0; k < axis.taps; ++k) {
      const double weight = k < count ? triangle((k + first - center + 0.5) * inverse) / total : 0;
      weights[k] = static_cast<int>(0.5 + weight * (1 << resize_precision));
    }
    axis.first[i] = first;
  });
}

/// Copies the crop [height, row] out of an image of rows `image_row` apart (bytes).
template <typename Group>
constexpr void copy_rows(const Group& group, const std::uint8_t* corner, std::ptrdiff_t image_row, int height,
                         int bytes, std::uint8_t* out, int row) {
  group.for_each(height, bytes, [=](int y, int i) {
    out[static_cast<std::ptrdiff_t>(y) * row + i] = corner[static_cast<std::ptrdiff_t>(y) * image_row + i];
  });
}

/// Narrows or widens interleaved rows [height, in_row] (three bytes a pixel, one byte more readable at the end) to
/// [height, out_row] of four bytes a pixel, mirrored if `flip`.
template <typename Group>
constexpr void resize_columns(const Group& group, const std::uint8_t* in, std::ptrdiff_t in_row, int height,
                              const ResizeAxis& axis, bool flip, std::uint8_t* out, int out_row) {
  group.for_each(height, axis.out, [=](int y, int x) {
    const std::uint8_t* pixel = in + y * in_row + static_cast<std::ptrdiff_t>(3) * axis.first[x];
    const int* weights = axis.weights + static_cast<std::ptrdiff_t>(x) * axis.taps;
    constexpr int half = 1 << (resize_precision - 1);
    std::array<int, 4> sums{half, half, half, half};
    for (int k = 0; k < axis.taps; k += 2, pixel += 6) {
      for (int c = 0; c < 4; ++c) sums[c] += weights[k] * pixel[c] + weights[k + 1] * pixel[3 + c];
    }
    std::uint8_t* target = out + static_cast<std::ptrdiff_t>(y) * out_row + 4 * (flip ? axis.out - 1 - x : x);
    for (int c = 0; c < 4; ++c) target[c] = resized_byte(sums[c]);
  });
}

/// Shrinks or stretches rows [axis.in, in_row] to [axis.out, out_row], of which the first out_row bytes are taken, a
/// whole number of lane blocks. One input row more is readable.
template <typename Group>
constexpr void resize_rows(const Group& group, const std::uint8_t* in, std::ptrdiff_t in_row, const ResizeAxis& axis,
                           std::uint8_t* out, int out_row) {
  constexpr int lanes = Group::lanes;
  group.for_each(axis.out, out_row / lanes, [=](int y, int block) {
    const int* weights = axis.weights + static_cast<std::ptrdiff_t>(y) * axis.taps;
    const std::uint8_t* upper = in + axis.first[y] * in_row + block * lanes;
    std::array<int, lanes> sums{};
    for (int i = 0; i < lanes; ++i) sums[i] = 1 << (resize_precision - 1);
    for (int k = 0; k < axis.taps; k += 2, upper += 2 * in_row) {
      const std::uint8_t* lower = upper + in_row;
      for (int i = 0; i < lanes; ++i) sums[i] += weights[k] * upper[i] + weights[k + 1] * lower[i];
    }
    std::uint8_t* target = out + static_cast<std::ptrdiff_t>(y) * out_row + block * lanes;
    for (int i = 0; i < lanes; ++i) target[i] = resized_byte(sums[i]);
  });
}

/// Rows [height, row] of four-byte pixels to three planes [height, width].
template <typename Group>
constexpr void split_planes(const Group& group, const std::uint8_t* in, int row, int width, int height,
                            std::uint8_t* planes) {
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(width) * height;
  group.for_each(height, width, [=](int y, int x) {
    const std::uint8_t* pixel = in + static_cast<std::ptrdiff_t>(y) * row + 4 * x;
    std::uint8_t* out = planes + static_cast<std::ptrdiff_t>(y) * width + x;
    out[0] = pixel[0];
    out[plane] = pixel[1];
    out[2 * plane] = pixel[2];
  });
}

}  // namespace relic::ops
