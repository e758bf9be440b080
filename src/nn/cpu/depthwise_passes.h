// A depthwise convolution's passes over the rows of one thread.
#pragma once

#include <cstdint>

#include "nn/cpu/channels.h"
#include "nn/cpu/depthwise.h"

namespace relic::cpu_depthwise {

inline constexpr std::int64_t kTaps = 9;

/// Rows begin … end − 1 of all images' rows, one image after another.
struct Rows {
  std::int64_t begin;
  std::int64_t end;
};

/// Three rows of an image around an output row, of which vectors of channels are read.
template <typename Lanes, typename Value>
class ThreeRows {
 public:
  using Vector = typename Lanes::Vector;

  ThreeRows(const Shape& shape, const Value* x, std::int64_t out_row) : width_(shape.width) {
    const std::int64_t image = out_row / shape.out_height();
    const std::int64_t top = out_row % shape.out_height() * shape.stride - 1;
    for (int i = 0; i < 3; ++i) {
      const bool inside = top + i >= 0 && top + i < shape.height;
      rows_[i] = inside ? x + (image * shape.height + top + i) * shape.width * shape.channels : kZeros<Value>;
      steps_[i] = inside ? shape.channels : 0;
    }
  }
  /// The channels from `channel` on of the three pixels of a column; zeros outside of the image.
  void column(std::int64_t column, std::int64_t channel, Vector (&pixels)[3]) const {
    const bool inside = column >= 0 && column < width_;
    for (int i = 0; i < 3; ++i) {
      if (inside) {
        Lanes::load(rows_[i] + column * steps_[i] + channel, pixels[i]);
      } else {
        pixels[i] = Vector{};
      }
    }
  }
  /// Calls use(out_column, pixels), pixels[3][3] of columns, around each output.
  template <typename Use>
  void for_each_output(const Shape& shape, std::int64_t channel, const Use& use) const {
    Vector pixels[3][3] = {};  // left of the image there is nothing
    const std::int64_t out_width = shape.out_width();
    if (shape.stride == 1) {
      column(0, channel, pixels[1]);
      for (std::int64_t out = 0; out < out_width; ++out) {
        column(out + 1, channel, pixels[2]);
        use(out, pixels);
        copy(pixels[1], pixels[0]);
        copy(pixels[2], pixels[1]);
      }
      return;
    }
    for (std::int64_t out = 0; out < out_width; ++out) {
      column(2 * out, channel, pixels[1]);
      column(2 * out + 1, channel, pixels[2]);
      use(out, pixels);
      copy(pixels[2], pixels[0]);
    }
  }

 private:
  static void copy(const Vector (&from)[3], Vector (&to)[3]) {
    for (int i = 0; i < 3; ++i) to[i] = from[i];
  }

  const Value* rows_[3];
  std::int64_t steps_[3];
  std::int64_t width_;
};

/// Taps and sums of their gradients are [9, channels] here.
template <typename Lanes, typename Value>
struct Passes {
  using Vector = typename Lanes::Vector;

  static void convolve(const Shape& shape, Rows out_rows, const Value* x, const float* taps, Value* y) {
    for (std::int64_t row = out_rows.begin; row < out_rows.end; ++row) {
      const ThreeRows<Lanes, Value> rows(shape, x, row);
      Value* to = y + row * shape.out_width() * shape.channels;
      for (std::int64_t c = 0; c < shape.channels; c += Lanes::lanes) {
        Vector tap[kTaps];
        for (int i = 0; i < kTaps; ++i) Lanes::load(taps + i * shape.channels + c, tap[i]);
        rows.for_each_output(shape, c, [&](std::int64_t column, const Vector(&pixels)[3][3]) {
          Vector sum = tap[0] * pixels[0][0];
          for (int i = 1; i < kTaps; ++i) sum += tap[i] * pixels[i % 3][i / 3];
          Lanes::store(sum, to + column * shape.channels + c);
        });
      }
    }
  }

  static void add_taps_gradient(const Shape& shape, Rows out_rows, const Value* x, const Value* y_gradient,
                                float* sums) {
    for (std::int64_t row = out_rows.begin; row < out_rows.end; ++row) {
      const ThreeRows<Lanes, Value> rows(shape, x, row);
      const Value* of_y = y_gradient + row * shape.out_width() * shape.channels;
      for (std::int64_t c = 0; c < shape.channels; c += Lanes::lanes) {
        Vector sum[kTaps];
        for (int i = 0; i < kTaps; ++i) Lanes::load(sums + i * shape.channels + c, sum[i]);
        rows.for_each_output(shape, c, [&](std::int64_t column, const Vector(&pixels)[3][3]) {
          Vector gradient;
          Lanes::load(of_y + column * shape.channels + c, gradient);
          for (int i = 0; i < kTaps; ++i) sum[i] += gradient * pixels[i % 3][i / 3];
        });
        for (int i = 0; i < kTaps; ++i) Lanes::store(sum[i], sums + i * shape.channels + c);
      }
    }
  }

  /// Of a convolution of stride 2: an input is a term of four outputs at most. That of stride 1 is the convolution of
  /// the outputs' gradient with the taps in reverse.
  static void images_gradient_of_stride_2(const Shape& shape, Rows rows, const Value* y_gradient, const float* taps,
                                          Value* x_gradient) {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      for (std::int64_t column = 0; column < shape.width; ++column) {
        Term terms[4];
        const int count = find_outputs(shape, y_gradient, row, column, terms);
        Value* to = x_gradient + (row * shape.width + column) * shape.channels;
        for (std::int64_t c = 0; c < shape.channels; c += Lanes::lanes) {
          Vector sum{};
          for (int i = 0; i < count; ++i) {
            Vector value;
            Vector tap;
            Lanes::load(terms[i].pixel + c, value);
            Lanes::load(taps + terms[i].tap * shape.channels + c, tap);
            sum += value * tap;
          }
          Lanes::store(sum, to + c);
        }
      }
    }
  }

 private:
  /// An output's channels, and the tap that the input is multiplied by in it.
  struct Term {
    const Value* pixel;
    std::int64_t tap;
  };

  static int find_outputs(const Shape& shape, const Value* y, std::int64_t row, std::int64_t column, Term* terms) {
    const std::int64_t image = row / shape.height;
    int count = 0;
    for (std::int64_t tap = 0; tap < kTaps; ++tap) {
      const std::int64_t i = row % shape.height + 1 - tap / 3;
      const std::int64_t j = column + 1 - tap % 3;
      if (i < 0 || j < 0 || i % 2 != 0 || j % 2 != 0) continue;
      if (i / 2 >= shape.out_height() || j / 2 >= shape.out_width()) continue;
      const std::int64_t out_row = image * shape.out_height() + i / 2;
      terms[count++] = {y + (out_row * shape.out_width() + j / 2) * shape.channels, tap};
    }
    return count;
  }
};

}  // namespace relic::cpu_depthwise
