// 3×3 convolutions of padding 1, channels last, on a CPU by Winograd's minimal filters. Images and outputs are float32
// or bfloat16; taps, their gradient and all that is computed are float32.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/cpu/channels.h"

namespace relic::winograd {

/// How far apart outputs lie, in pixels of the images. `half`: the transpose of `two`, from an output of it to an
/// image.
enum class Stride : std::uint8_t { one, two, half };

/// Images are [images, height, width, in], outputs [images, out_height, out_width, out].
struct ConvShape {
  Stride stride = Stride::one;
  std::int64_t images = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t out_height = 0;
  std::int64_t out_width = 0;
  std::int64_t in = 0;  ///< channels
  std::int64_t out = 0;
};

/// Where the taps of a kernel lie (those of Stride::two for Stride::half, too, whose inputs are its outputs): that of
/// row i and column j, from input channel k to output channel l, at first[i · row + j · column + k · channel + l ·
/// output], where `channel` or `output` is 1.
struct Taps {
  const float* first = nullptr;
  std::int64_t row = 0;
  std::int64_t column = 0;
  std::int64_t channel = 1;
  std::int64_t output = 1;
};

/// Minimal filters of one stride and size, compiled for one kind of processor.
struct Kernels;
/// Those that this processor can run, those of the widest vectors first. None on a processor without AVX2.
const std::vector<const Kernels*>& kernels();
Stride stride_of(const Kernels& kernels);
/// "avx512 4x4" or "avx512 2x2, stride 2": vectors, and outputs of a tile.
std::string name_of(const Kernels& kernels);

/// Those that this processor convolves such images with the fastest; null where there are none, or the channels do not
/// fill their vectors.
const Kernels* fastest_kernels(const ConvShape& shape);

/// Outputs y from images x, of float or Bfloat16.
template <typename Value>
void convolve(const Kernels& kernels, const ConvShape& shape, const Value* x, const Taps& taps, Value* y);

/// Gradient of the taps, [out, 3, 3, in], from images x and the gradient of the outputs y. Its bits depend on the
/// number of threads.
template <typename Value>
void taps_gradient(const Kernels& kernels, const ConvShape& shape, const Value* x, const Value* y_gradient,
                   float* gradient);

}  // namespace relic::winograd
