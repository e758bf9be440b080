// The steps of a convolution by minimal filters, each over a range of tiles or channels, for any size of tiles and any
// vectors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "nn/winograd/conv3x3.h"
#include "nn/winograd/lanes.h"
#include "nn/winograd/matrix_product.h"
#include "nn/winograd/minimal_filter.h"
#include "nn/winograd/transforms.h"

namespace relic::winograd {

inline std::int64_t ratio_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Where the tiles of images have their squares of pixels: `step` apart, the first one `before` the images' corner.
struct Squares {
  std::int64_t height;
  std::int64_t width;
  std::int64_t step;
  std::int64_t before;
};

/// The tiles that cover all outputs, one after another.
template <typename Filter>
struct Tiles {
  static constexpr int inputs = decltype(Filter::input)::columns;  ///< down and across
  static constexpr int outputs = decltype(Filter::output)::rows;
  Squares of_inputs;
  Squares of_outputs;
  std::int64_t down;
  std::int64_t across;

  explicit Tiles(const ConvShape& shape)
      : of_inputs{shape.height, shape.width, Filter::step, Filter::before},
        of_outputs{shape.out_height, shape.out_width, outputs, 0},
        down(ratio_up(shape.out_height, outputs)),
        across(ratio_up(shape.out_width, outputs)) {}

  /// Pointers to the channels of the pixels of a tile, `side` in a square; to zeros outside of the image.
  template <int side, typename Value>
  void pixels(const Squares& squares, const Value* images, std::int64_t channels, std::int64_t tile,
              const Value** out) const {
    const std::int64_t image = tile / (down * across);
    const std::int64_t place = tile % (down * across);
    const std::int64_t top = place / across * squares.step - squares.before;
    const std::int64_t left = place % across * squares.step - squares.before;
    for (std::int64_t i = 0; i < side; ++i) {
      for (std::int64_t j = 0; j < side; ++j) {
        const std::int64_t y = top + i;
        const std::int64_t x = left + j;
        const bool inside = y >= 0 && y < squares.height && x >= 0 && x < squares.width;
        out[i * side + j] =
            inside ? images + ((image * squares.height + y) * squares.width + x) * channels : kZeros<Value>;
      }
    }
  }
};

/// Those of taps alone, whatever the images' values are.
template <typename Lanes, typename Filter>
struct TapSteps {
  using Vector = typename Lanes::Vector;
  static constexpr int points = decltype(Filter::taps)::rows * decltype(Filter::taps)::rows;
  static constexpr auto taps_transposed = Filter::taps.transposed();

  /// G g Gᵀ of the taps, for as many input channels from `channel` on as a vector holds, into
  /// [points, out / columns, in, columns].
  static void transform_taps(const ConvShape& shape, const Taps& taps, std::int64_t channel, float* u) {
    constexpr int lanes = Lanes::lanes;
    for (std::int64_t j = 0; j < shape.out; j += lanes) {
      Vector g[lanes][9];  // of each input channel, in vectors of output channels
      for (int i = 0; i < 9; ++i) {
        const float* from = taps.first + i / 3 * taps.row + i % 3 * taps.column;
        Vector square[lanes];
        for (int k = 0; k < lanes; ++k) {
          // Whichever channels lie one after another are the ones to read a vector of.
          const float* line =
              taps.output == 1 ? from + (channel + k) * taps.channel + j : from + (j + k) * taps.output + channel;
          Lanes::load(line, square[k]);
        }
        if (taps.output != 1) transpose<Lanes>(square);
        for (int k = 0; k < lanes; ++k) g[k][i] = square[k];
      }
      for (int k = 0; k < lanes; ++k) {
        Vector transformed[points];
        transform<Filter::taps>(Filter::taps, g[k], transformed);
        float* to = u + (j / Lanes::columns * shape.in + channel + k) * Lanes::columns + j % Lanes::columns;
        for (int p = 0; p < points; ++p) Lanes::store(transformed[p], to + p * shape.in * shape.out);
      }
    }
  }

  /// Gᵀ M G for output channel `channel` and as many input channels from `first` on as the registers hold, into
  /// [out, 3, 3, in]; M is the sum of sums[parts, points, in / columns, out, columns].
  static void taps_from_transformed(const ConvShape& shape, const float* sums, std::int64_t parts, std::int64_t channel,
                                    std::int64_t first, float* gradient) {
    const std::int64_t size = shape.in * shape.out;
    for (std::int64_t j = first; j < first + Lanes::columns; j += Lanes::lanes) {
      const std::int64_t at = first * shape.out + channel * Lanes::columns + j - first;
      Vector sum[points];
      for (int p = 0; p < points; ++p) {
        Lanes::load(sums + p * size + at, sum[p]);
        for (std::int64_t part = 1; part < parts; ++part) {
          Vector share;
          Lanes::load(sums + (part * points + p) * size + at, share);
          sum[p] += share;
        }
      }
      Vector taps[9];
      transform<taps_transposed>(taps_transposed, sum, taps);
      for (int i = 0; i < 9; ++i) Lanes::store(taps[i], gradient + (channel * 9 + i) * shape.in + j);
    }
  }
};

/// Those of images, of float or Bfloat16.
template <typename Lanes, typename Filter, typename Value>
struct TileSteps {
  using PixelValue = Value;
  using Vector = typename Lanes::Vector;
  static constexpr int inputs = Tiles<Filter>::inputs;
  static constexpr int outputs = Tiles<Filter>::outputs;
  static constexpr int points = TapSteps<Lanes, Filter>::points;
  static constexpr auto output_transposed = Filter::output.transposed();

  /// `matrix` · tile · `matrix`ᵀ of the square of pixels of each tile, into [points, end − begin, channels].
  template <const auto& matrix, int taken>
  static void transform_tiles(const Tiles<Filter>& tiles, const Squares& squares, const Value* images,
                              std::int64_t channels, std::int64_t begin, std::int64_t end, float* v) {
    const std::int64_t stride = (end - begin) * channels;
    for (std::int64_t tile = begin; tile < end; ++tile) {
      const Value* pixels[taken * taken];
      tiles.template pixels<taken>(squares, images, channels, tile, pixels);
      float* to = v + (tile - begin) * channels;
      for (std::int64_t c = 0; c < channels; c += Lanes::lanes) {
        Vector d[taken * taken];
        for (int i = 0; i < taken * taken; ++i) Lanes::load(pixels[i] + c, d[i]);
        Vector transformed[points];
        transform<matrix>(matrix, d, transformed);
        for (int p = 0; p < points; ++p) Lanes::store(transformed[p], to + p * stride + c);
      }
    }
  }

  /// Outputs of tiles begin … end − 1; `memory` holds points · (end − begin) · (in + out) floats.
  static void convolve_tiles(const ConvShape& shape, const Value* x, const float* u, std::int64_t begin,
                             std::int64_t end, float* memory, Value* y) {
    const Tiles<Filter> tiles(shape);
    const std::int64_t count = end - begin;
    float* v = memory;
    float* products = v + points * count * shape.in;
    transform_tiles<Filter::input, inputs>(tiles, tiles.of_inputs, x, shape.in, begin, end, v);
    for (int p = 0; p < points; ++p) {
      for (std::int64_t j = 0; j < shape.out; j += Lanes::columns) {
        multiply_columns<Lanes>({.a = v + p * count * shape.in,
                                 .a_row = shape.in,
                                 .a_step = 1,
                                 .b = u + (p * shape.out + j) * shape.in,
                                 .b_step = Lanes::columns,
                                 .c = products + p * count * shape.out + j,
                                 .c_row = shape.out,
                                 .depth = static_cast<int>(shape.in)},
                                static_cast<int>(count), /*add=*/false);
      }
    }
    for (std::int64_t tile = begin; tile < end; ++tile) {
      const Value* pixels[outputs * outputs];
      tiles.template pixels<outputs>(tiles.of_outputs, y, shape.out, tile, pixels);
      const float* from = products + (tile - begin) * shape.out;
      for (std::int64_t c = 0; c < shape.out; c += Lanes::lanes) {
        Vector product[points];
        for (int p = 0; p < points; ++p) Lanes::load(from + p * count * shape.out + c, product[p]);
        Vector y_of_tile[outputs * outputs];
        transform<Filter::output>(Filter::output, product, y_of_tile);
        for (int i = 0; i < outputs * outputs; ++i) {
          if (pixels[i] != kZeros<Value>) Lanes::store(y_of_tile[i], const_cast<Value*>(pixels[i]) + c);
        }
      }
    }
  }

  /// Adds the share of tiles begin … end − 1 to the gradient of the transformed taps, [points, in / columns, out,
  /// columns], whose sums a product then finds and leaves side by side; `memory` as above.
  static void add_taps_gradient(const ConvShape& shape, const Value* x, const Value* y_gradient, std::int64_t begin,
                                std::int64_t end, bool add, float* memory, float* gradient) {
    const Tiles<Filter> tiles(shape);
    const std::int64_t count = end - begin;
    float* v = memory;
    float* z = v + points * count * shape.in;
    transform_tiles<Filter::input, inputs>(tiles, tiles.of_inputs, x, shape.in, begin, end, v);
    transform_tiles<output_transposed, outputs>(tiles, tiles.of_outputs, y_gradient, shape.out, begin, end, z);
    for (int p = 0; p < points; ++p) {
      for (std::int64_t j = 0; j < shape.in; j += Lanes::columns) {
        multiply_columns<Lanes>({.a = z + p * count * shape.out,
                                 .a_row = 1,
                                 .a_step = shape.out,
                                 .b = v + p * count * shape.in + j,
                                 .b_step = shape.in,
                                 .c = gradient + (p * shape.in + j) * shape.out,
                                 .c_row = Lanes::columns,
                                 .depth = static_cast<int>(count)},
                                static_cast<int>(shape.out), add);
      }
    }
  }
};

}  // namespace relic::winograd
