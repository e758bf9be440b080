// BatchNorm, addition and ReLU in one, channels last, on a GPU (C++17, no LibTorch).
#pragma once

#include <cstdint>

struct CUstream_st;

namespace relic::norm_kernel {

enum class Type : std::uint8_t { float32, float16, bfloat16 };

/// Rows of `channels` values: an image's pixels, channels_last.
struct Shape {
  Type type = Type::float32;
  std::int64_t rows = 0;
  int channels = 0;
};

/// Whether the kernels take it: powers of two of channels, 16 bytes at least and 2,048 values at most.
bool fits(const Shape& shape);

/// Floats that the kernels want for sums of their own.
std::int64_t scratch_floats(const Shape& shape);

/// y = relu(x̂·weight + bias + shortcut), x̂ = (x − mean)/√(variance + epsilon), by the statistics of x. All pointers are
/// to the GPU's memory; those that may be null say so. Statistics and weights are float32, as in cuDNN.
struct Forward {
  Shape shape{};
  const void* x = nullptr;         ///< [rows, channels]
  const void* shortcut = nullptr;  ///< [rows, channels]; null: none
  bool relu = true;
  const float* weight = nullptr;  ///< [channels]
  const float* bias = nullptr;
  float epsilon = 0;
  float momentum = 0;
  float* running_mean = nullptr;      ///< moved by `momentum`
  float* running_variance = nullptr;  ///< with the unbiased variance
  std::int64_t* batches = nullptr;    ///< counted up
  float* mean = nullptr;              ///< [channels], out
  float* inverse_deviation = nullptr;
  void* y = nullptr;  ///< [rows, channels], out
  std::uint8_t* kept =
      nullptr;  ///< out: a bit for each value that ReLU lets pass, a byte for each 16 bytes of y; or null
  float* scratch = nullptr;
};
void forward(const Forward& what, CUstream_st* stream);

struct Backward {
  Shape shape{};
  const void* y_gradient = nullptr;
  const void* x = nullptr;
  const std::uint8_t* kept = nullptr;  ///< null: there was no ReLU
  const float* weight = nullptr;
  const float* mean = nullptr;
  const float* inverse_deviation = nullptr;
  void* x_gradient = nullptr;         ///< out
  void* shortcut_gradient = nullptr;  ///< out; null: not wanted
  float* weight_gradient = nullptr;   ///< [channels], out
  float* bias_gradient = nullptr;
  float* scratch = nullptr;
};
void backward(const Backward& what, CUstream_st* stream);

}  // namespace relic::norm_kernel
