// 3×3 convolutions of stride 1 and padding 1, channels last, on a CPU by Winograd's minimal filters. Images and outputs
// are float32 or bfloat16; taps, their gradient and all that is computed are float32.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/cpu/channels.h"

namespace relic::winograd {

/// Images are [images, height, width, channels].
struct ConvShape {
  std::int64_t images = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t in = 0;  ///< channels
  std::int64_t out = 0;
};

/// Where the taps of a kernel lie: that of row i and column j, from input channel k to output channel l, at
/// first[i · row + j · column + k · channel + l · output], where `channel` or `output` is 1.
struct Taps {
  const float* first = nullptr;
  std::int64_t row = 0;
  std::int64_t column = 0;
  std::int64_t channel = 1;
  std::int64_t output = 1;
};

/// Minimal filters of one size, compiled for one kind of processor.
struct Kernels;
/// Those that this processor can run: of each size the fastest first. None on a processor without AVX2.
const std::vector<const Kernels*>& kernels();
/// "avx512 4x4": vectors, and outputs of a tile.
std::string name_of(const Kernels& kernels);
/// Whether channels fill its vectors.
bool fits(const Kernels& kernels, std::int64_t in, std::int64_t out);

/// Those that this processor convolves such images with the fastest; null where there are none, or the channels do not
/// fit.
const Kernels* fastest_kernels(const ConvShape& shape);

/// y[n, h, w, out] from x[n, h, w, in]; of float or Bfloat16.
template <typename Value>
void convolve(const Kernels& kernels, const ConvShape& shape, const Value* x, const Taps& taps, Value* y);

/// Gradient of the taps, [out, 3, 3, in], from x[n, h, w, in] and that of y[n, h, w, out]. Its bits depend on the
/// number of threads.
template <typename Value>
void taps_gradient(const Kernels& kernels, const ConvShape& shape, const Value* x, const Value* y_gradient,
                   float* gradient);

}  // namespace relic::winograd
