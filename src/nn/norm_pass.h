// BatchNorm, addition and ReLU in one, channels last: what is computed, on whichever device (C++17, no LibTorch).
#pragma once

#include <cstdint>

namespace relic::norm_pass {

enum class Type : std::uint8_t { float32, float16, bfloat16 };

/// Rows of `channels` values: an image's pixels, channels_last.
struct Shape {
  Type type = Type::float32;
  std::int64_t rows = 0;
  int channels = 0;
};

/// y = relu(x̂·weight + bias + shortcut), x̂ = (x − mean)/√(variance + epsilon), by the statistics of x. All pointers are
/// to the device's memory; those that may be null say so. Statistics and weights are float32, as in cuDNN.
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
  /// Out, on a GPU: a bit for each value that ReLU lets pass, a byte for each 16 bytes of y; or null.
  std::uint8_t* kept = nullptr;
  float* scratch = nullptr;  ///< on a GPU
};

struct Backward {
  Shape shape{};
  const void* y_gradient = nullptr;
  const void* x = nullptr;
  bool relu = true;
  const std::uint8_t* kept = nullptr;  ///< on a GPU, where there was a ReLU
  const void* y = nullptr;             ///< on a CPU, where there was one and a shortcut; else x tells what it let pass
  const float* weight = nullptr;
  const float* bias = nullptr;
  const float* mean = nullptr;
  const float* inverse_deviation = nullptr;
  void* x_gradient = nullptr;         ///< out
  void* shortcut_gradient = nullptr;  ///< out; null: not wanted
  float* weight_gradient = nullptr;   ///< [channels], out
  float* bias_gradient = nullptr;
  float* scratch = nullptr;  ///< on a GPU
};

}  // namespace relic::norm_pass
