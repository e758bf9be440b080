// 3×3 depthwise convolutions, padding 1, stride 1 or 2, channels last, on a CPU. Images and outputs are float32 or
// bfloat16; taps, their gradient and all that is computed are float32.
#pragma once

#include <cstdint>

namespace relic::cpu_depthwise {

/// Images are [images, height, width, channels], outputs [images, out_height(), out_width(), channels].
struct Shape {
  std::int64_t images = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::int64_t stride = 1;

  [[nodiscard]] std::int64_t out_height() const { return (height - 1) / stride + 1; }
  [[nodiscard]] std::int64_t out_width() const { return (width - 1) / stride + 1; }
};

/// Whether the channels fill this processor's vectors.
bool fits(const Shape& shape);

/// y from x; taps are [channels, 3, 3]. Values are float or Bfloat16.
template <typename Value>
void convolve(const Shape& shape, const Value* x, const float* taps, Value* y);

/// Gradient of x from that of y.
template <typename Value>
void images_gradient(const Shape& shape, const Value* y_gradient, const float* taps, Value* x_gradient);

/// Gradient of the taps, [channels, 3, 3]. Its bits depend on the number of threads.
template <typename Value>
void taps_gradient(const Shape& shape, const Value* x, const Value* y_gradient, float* gradient);

}  // namespace relic::cpu_depthwise
