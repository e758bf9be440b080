// The whole way of a view, from the image to its bytes, for any group (see group.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "relic/data/image.h"
#include "relic/views/view_params.h"
#include "relic/views/view_spec.h"
#include "views/blur.h"
#include "views/color.h"
#include "views/resize.h"

namespace relic::ops {

/// Working memory of a view; the sizes are those that `chain_sizes` gives.
struct ChainMemory {
  std::uint8_t* crop = nullptr;          ///< a copy in padded rows, for groups that want one
  std::uint8_t* half_resized = nullptr;  ///< the crop, resized along one axis
  std::uint8_t* resized = nullptr;       ///< and along both, four bytes a pixel
  std::uint8_t* planes = nullptr;        ///< the view, three planes
  int* taps = nullptr;
  float* blur = nullptr;
};

/// Elements of each part of ChainMemory.
struct ChainSizes {
  std::size_t crop = 0;
  std::size_t half_resized = 0;
  std::size_t resized = 0;
  std::size_t planes = 0;
  std::size_t taps = 0;
  std::size_t blur = 0;
};

constexpr int blur_radius(const ViewSpec& spec) {
  return spec.blur_kernel / 2 < spec.size ? spec.blur_kernel / 2 : spec.size - 1;
}

/// Bytes of a row of the crop: taps without weight may read a pixel and a byte past its end.
template <typename Group>
constexpr int crop_row(const ViewParams& params) {
  return padded_row<Group>(3 * params.width + 4);
}

/// For this crop, and for all that are no wider and no higher.
template <typename Group>
constexpr ChainSizes chain_sizes(const ViewSpec& spec, const ViewParams& params) {
  const auto size = static_cast<std::size_t>(spec.size);
  const int radius = blur_radius(spec);
  const auto row = static_cast<std::size_t>(padded_row<Group>(4 * spec.size));
  const auto taps = static_cast<std::size_t>(resize_taps(params.width, spec.size)) +
                    static_cast<std::size_t>(resize_taps(params.height, spec.size));
  const auto blur_row = static_cast<std::size_t>(padded_row<Group>(spec.size)) +
                        static_cast<std::size_t>(padded_row<Group>(spec.size + 2 * radius));
  ChainSizes sizes;
  const auto crop = static_cast<std::size_t>(crop_row<Group>(params));
  const auto height = static_cast<std::size_t>(params.height) + 1;  // one row more, as for the crop's columns
  sizes.crop = Group::copies_crop ? height * crop : 0;
  sizes.half_resized = height * row > size * crop ? height * row : size * crop;
  sizes.resized = size * row;
  sizes.planes = 3 * size * size;
  sizes.taps = size * (2 + taps);
  sizes.blur = static_cast<std::size_t>(radius + 1) + size * blur_row + static_cast<std::size_t>(Group::lanes);
  return sizes;
}

constexpr ResizeAxis resize_axis(int in, int out, int* memory) {
  return {in, out, resize_taps(in, out), memory, memory + out};
}

template <typename Group>
constexpr void crop_resize_flip(const Group& group, const ImageRef& image, const ViewSpec& spec,
                                const ViewParams& params, const ChainMemory& memory) {
  const ResizeAxis x = resize_axis(params.width, spec.size, memory.taps);
  const ResizeAxis y = resize_axis(params.height, spec.size, x.weights + static_cast<std::ptrdiff_t>(x.out) * x.taps);
  fill_resize_axis(group, x);
  fill_resize_axis(group, y);
  const std::ptrdiff_t image_row = static_cast<std::ptrdiff_t>(3) * image.width;
  const std::uint8_t* corner = image.pixels + params.top * image_row + static_cast<std::ptrdiff_t>(3) * params.left;
  const int row = padded_row<Group>(4 * spec.size);
  const int narrow = crop_row<Group>(params);
  const std::uint8_t* crop = corner;
  std::ptrdiff_t crop_stride = image_row;
  if constexpr (Group::copies_crop) {
    copy_rows(group, corner, image_row, params.height, 3 * params.width, memory.crop, narrow);
    crop = memory.crop;
    crop_stride = narrow;
  }
  if (rows_first(x.in, y.in, x.out, y.out)) {
    resize_rows(group, crop, crop_stride, y, memory.half_resized, narrow);
    resize_columns(group, memory.half_resized, narrow, y.out, x, params.flip, memory.resized, row);
  } else {
    resize_columns(group, crop, crop_stride, y.in, x, params.flip, memory.half_resized, row);
    resize_rows(group, memory.half_resized, row, y, memory.resized, row);
  }
  split_planes(group, memory.resized, row, spec.size, spec.size, memory.planes);
}

template <typename Group>
constexpr void jitter(const Group& group, const ViewParams& params, const Planes& planes) {
  for (const JitterOp op : params.order) {
    switch (op) {
      case JitterOp::brightness:
        adjust_brightness(group, planes, params.brightness);
        break;
      case JitterOp::contrast:
        adjust_contrast(group, planes, params.contrast);
        break;
      case JitterOp::saturation:
        adjust_saturation(group, planes, params.saturation);
        break;
      case JitterOp::hue:
        shift_hue(group, planes, hue_shift(params.hue));
        break;
    }
  }
}

template <typename Group>
constexpr void blur(const Group& group, const ViewSpec& spec, float sigma, const Planes& planes, float* memory) {
  const int full = blur_radius(spec);
  const int radius = fill_blur_weights(group, full, sigma, memory);
  if (radius == 0) return;
  float* padded = memory + full + 1;
  float* rows = padded + static_cast<std::ptrdiff_t>(spec.size) * padded_row<Group>(spec.size + 2 * radius);
  for (int plane = 0; plane < 3; ++plane) {
    blur_plane(group, planes.data + static_cast<std::ptrdiff_t>(plane) * planes.pixels, spec.size, spec.size, radius,
               {memory, padded, rows});
  }
}

/// Renders a view into three planes. A group that does not copy the crop reads a row and four bytes past the image's
/// end.
template <typename Group>
constexpr Planes render_planes(const Group& group, const ImageRef& image, const ViewSpec& spec,
                               const ViewParams& params, const ChainMemory& memory) {
  const Planes planes{memory.planes, spec.size * spec.size};
  crop_resize_flip(group, image, spec, params, memory);
  if (params.jitter) jitter(group, params, planes);
  if (params.gray) to_gray(group, planes);
  blur(group, spec, params.sigma, planes, memory.blur);
  if (params.solarize) solarize(group, planes, spec.solarize_threshold);
  return planes;
}

/// Renders a view into `out`, [size, size, 3].
template <typename Group>
constexpr void render(const Group& group, const ImageRef& image, const ViewSpec& spec, const ViewParams& params,
                      const ChainMemory& memory, std::uint8_t* out) {
  interleave(group, render_planes(group, image, spec, params, memory), out);
}

}  // namespace relic::ops
