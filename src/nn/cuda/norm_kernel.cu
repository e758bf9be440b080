#include "nn/cuda/norm_kernel.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <string>

#include "relic/core/error.h"

namespace relic::norm_kernel {

namespace {

// Each thread has 16 bytes of neighbouring channels of its own and goes through rows, so that what belongs to a channel
// stays in its registers. Sums are made of a block's sums, in an order that does not change.

constexpr int min_threads = 256;
constexpr int max_threads = 512;
constexpr int threads_at_once = 1024;  // of a multiprocessor, so that all blocks run at once
constexpr int vector_bytes = 16;
constexpr int finalize_rows = 32;

template <typename Value>
constexpr int lanes = vector_bytes / static_cast<int>(sizeof(Value));

__device__ float to_float(float value) { return value; }
__device__ float to_float(__half value) { return __half2float(value); }
__device__ float to_float(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ void assign(float& out, float value) { out = value; }
__device__ void assign(__half& out, float value) { out = __float2half_rn(value); }
__device__ void assign(__nv_bfloat16& out, float value) { out = __float2bfloat16_rn(value); }

template <typename Value>
struct alignas(vector_bytes) Vector {
  Value values[lanes<Value>];
};

template <typename Value>
__device__ Vector<Value> load(const Value* pointer) {
  Vector<Value> vector;
  *reinterpret_cast<uint4*>(&vector) = *reinterpret_cast<const uint4*>(pointer);
  return vector;
}
template <typename Value>
__device__ void store(Value* pointer, const Vector<Value>& vector) {
  *reinterpret_cast<uint4*>(pointer) = *reinterpret_cast<const uint4*>(&vector);
}

/// What a thread works on.
template <typename Value>
struct Place {
  int vectors;  // of a row
  int channel;  // the first of the thread's own
  int row;      // of the block's rows
  int rows;     // that the block goes through together
  __device__ explicit Place(int channels)
      : vectors(channels / lanes<Value>),
        channel(static_cast<int>(threadIdx.x) % vectors * lanes<Value>),
        row(static_cast<int>(threadIdx.x) / vectors),
        rows(static_cast<int>(blockDim.x) / vectors) {}
};

/// Calls use(load(row), row) for the thread's rows, `unrolled` of them together, so that many loads are under way.
template <int unrolled, typename Value, typename Load, typename Use>
__device__ void for_rows(const Place<Value>& place, std::int64_t rows, const Load& load, const Use& use) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * place.rows;
  std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * place.rows + place.row;
  for (; row + (unrolled - 1) * stride < rows; row += unrolled * stride) {
    decltype(load(row)) loaded[unrolled];
#pragma unroll
    for (int i = 0; i < unrolled; ++i) loaded[i] = load(row + i * stride);
#pragma unroll
    for (int i = 0; i < unrolled; ++i) use(loaded[i], row + i * stride);
  }
  for (; row < rows; row += stride) use(load(row), row);
}

/// What the backward passes read of a row.
template <typename Value>
struct GradientAndValues {
  Vector<Value> gradient;
  Vector<Value> values;
  unsigned bits;
};

template <typename Value, bool relu>
__device__ GradientAndValues<Value> load_backward(const Value* y_gradient, const Value* x, const std::uint8_t* kept,
                                                  std::int64_t at) {
  return {load(y_gradient + at), load(x + at), relu ? kept[at / lanes<Value>] : 0U};
}

template <typename Value>
struct ValuesAndShortcut {
  Vector<Value> values;
  Vector<Value> shortcut;
};

/// A block's two sums of each channel: [2, channels] of `partial`.
template <typename Value>
__device__ void sum_block(const Place<Value>& place, int channels, const float* first, const float* second,
                          float* partial) {
  extern __shared__ float shared[];  // [2, block's rows, channels]
  float* const own = shared + place.row * channels + place.channel;
  float* const own_second = own + place.rows * channels;
#pragma unroll
  for (int i = 0; i < lanes<Value>; ++i) {
    own[i] = first[i];
    own_second[i] = second[i];
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < 2 * channels; i += static_cast<int>(blockDim.x)) {
    const float* column = shared + i / channels * place.rows * channels + i % channels;
    float sum = 0;
    for (int row = 0; row < place.rows; ++row) sum += column[row * channels];
    partial[static_cast<std::int64_t>(blockIdx.x) * 2 * channels + i] = sum;
  }
}

/// Sums over the blocks of partial [blocks, 2, channels] of the channel of threadIdx.x, known to threadIdx.y = 0.
__device__ float2 sum_of_blocks(const float* partial, int blocks, int channels, int channel) {
  __shared__ float2 rows[finalize_rows][33];
  float2 sum{0, 0};
  if (channel < channels) {
    for (int block = static_cast<int>(threadIdx.y); block < blocks; block += finalize_rows) {
      const float* of_block = partial + static_cast<std::int64_t>(block) * 2 * channels;
      sum.x += of_block[channel];
      sum.y += of_block[channels + channel];
    }
  }
  rows[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  for (int half = finalize_rows / 2; half > 0; half /= 2) {
    if (static_cast<int>(threadIdx.y) < half) {
      rows[threadIdx.y][threadIdx.x].x += rows[threadIdx.y + half][threadIdx.x].x;
      rows[threadIdx.y][threadIdx.x].y += rows[threadIdx.y + half][threadIdx.x].y;
    }
    __syncthreads();
  }
  return rows[0][threadIdx.x];
}

/// Sums of x − x₀ and of its square, x₀ the channel's first value: no digits are lost to a mean far from 0.
template <typename Value>
__global__ void __launch_bounds__(max_threads, threads_at_once / max_threads)
    sum_forward(const Value* x, std::int64_t rows, int channels, float* partial) {
  constexpr int n = lanes<Value>;
  const Place<Value> place(channels);
  const auto origin = load(x + place.channel);
  float shift[n];
  float sums[n] = {};
  float squares[n] = {};
#pragma unroll
  for (int i = 0; i < n; ++i) shift[i] = to_float(origin.values[i]);
  for_rows<4>(
      place, rows, [&](std::int64_t row) { return load(x + row * channels + place.channel); },
      [&](const Vector<Value>& values, std::int64_t) {
#pragma unroll
        for (int i = 0; i < n; ++i) {
          const float value = to_float(values.values[i]) - shift[i];
          sums[i] += value;
          squares[i] += value * value;
        }
      });
  sum_block(place, channels, sums, squares, partial);
}

/// Scratch: [blocks, 2, channels] partial sums, then the factors that the last pass needs, [3, channels].
template <typename Value>
__global__ void finish_forward(Forward what, const float* partial, int blocks, float* factors) {
  const int channels = what.shape.channels;
  const int channel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const float2 sums = sum_of_blocks(partial, blocks, channels, channel);
  if (threadIdx.y != 0 || channel >= channels) return;
  const auto count = static_cast<float>(what.shape.rows);
  const float shifted = sums.x / count;
  const float mean = to_float(static_cast<const Value*>(what.x)[channel]) + shifted;
  // Not fmaxf, which makes a number of what is none: a training that has failed must be seen to.
  const float spread = sums.y / count - shifted * shifted;
  const float variance = spread < 0 ? 0.0F : spread;
  const float inverse = rsqrtf(variance + what.epsilon);
  what.mean[channel] = mean;
  what.inverse_deviation[channel] = inverse;
  const float scale = what.weight[channel] * inverse;
  factors[channel] = scale;
  factors[channels + channel] = what.bias[channel] - mean * scale;
  const float unbiased = variance * (count / fmaxf(count - 1, 1.0F));
  if (channel == 0) ++*what.batches;
  what.running_mean[channel] += what.momentum * (mean - what.running_mean[channel]);
  what.running_variance[channel] += what.momentum * (unbiased - what.running_variance[channel]);
}

template <typename Value, bool relu, bool shortcut>
__global__ void __launch_bounds__(max_threads, threads_at_once / max_threads)
    apply_forward(const Value* x, const Value* added, std::int64_t rows, int channels, const float* factors, Value* y,
                  std::uint8_t* kept) {
  constexpr int n = lanes<Value>;
  const Place<Value> place(channels);
  float scale[n];
  float shift[n];
#pragma unroll
  for (int i = 0; i < n; ++i) {
    scale[i] = factors[place.channel + i];
    shift[i] = factors[channels + place.channel + i];
  }
  for_rows<shortcut ? 2 : 4>(
      place, rows,
      [&](std::int64_t row) {
        const std::int64_t at = row * channels + place.channel;
        ValuesAndShortcut<Value> loaded;
        loaded.values = load(x + at);
        if constexpr (shortcut) loaded.shortcut = load(added + at);
        return loaded;
      },
      [&](const ValuesAndShortcut<Value>& loaded, std::int64_t row) {
        const std::int64_t at = row * channels + place.channel;
        Vector<Value> result;
        unsigned bits = 0;
#pragma unroll
        for (int i = 0; i < n; ++i) {
          float value = to_float(loaded.values.values[i]) * scale[i] + shift[i];
          if constexpr (shortcut) value += to_float(loaded.shortcut.values[i]);
          if constexpr (relu) {
            bits |= value <= 0 ? 0U : 1U << i;
            value = value <= 0 ? 0.0F : value;
          }
          assign(result.values[i], value);
        }
        store(y + at, result);
        if (relu && kept != nullptr) kept[at / n] = static_cast<std::uint8_t>(bits);
      });
}

/// The gradient that passes ReLU.
template <typename Value, bool relu>
__device__ float passed(const Vector<Value>& gradient, unsigned bits, int i) {
  const float value = to_float(gradient.values[i]);
  return !relu || (bits >> i & 1U) != 0 ? value : 0.0F;
}

template <typename Value, bool relu>
__global__ void __launch_bounds__(max_threads, threads_at_once / max_threads)
    sum_backward(const Value* y_gradient, const Value* x, const std::uint8_t* kept, const float* mean,
                 std::int64_t rows, int channels, float* partial) {
  constexpr int n = lanes<Value>;
  const Place<Value> place(channels);
  float center[n];
  float sums[n] = {};
  float products[n] = {};
#pragma unroll
  for (int i = 0; i < n; ++i) center[i] = mean[place.channel + i];
  for_rows<2>(
      place, rows,
      [&](std::int64_t row) { return load_backward<Value, relu>(y_gradient, x, kept, row * channels + place.channel); },
      [&](const GradientAndValues<Value>& loaded, std::int64_t) {
#pragma unroll
        for (int i = 0; i < n; ++i) {
          const float of_z = passed<Value, relu>(loaded.gradient, loaded.bits, i);
          sums[i] += of_z;
          products[i] += of_z * (to_float(loaded.values.values[i]) - center[i]);
        }
      });
  sum_block(place, channels, sums, products, partial);
}

/// dx = a·(dz − mean(dz) − x̂·mean(dz·x̂)), a = weight/deviation, written as f₀·dz + f₁·x + f₂.
__global__ void finish_backward(Backward what, const float* partial, int blocks, float* factors) {
  const int channels = what.shape.channels;
  const int channel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const float2 sums = sum_of_blocks(partial, blocks, channels, channel);
  if (threadIdx.y != 0 || channel >= channels) return;
  const auto count = static_cast<float>(what.shape.rows);
  const float inverse = what.inverse_deviation[channel];
  what.bias_gradient[channel] = sums.x;
  what.weight_gradient[channel] = sums.y * inverse;
  const float scale = what.weight[channel] * inverse;
  const float slope = sums.y / count * inverse * inverse;
  factors[channel] = scale;
  factors[channels + channel] = -scale * slope;
  factors[2 * channels + channel] = scale * (what.mean[channel] * slope - sums.x / count);
}

template <typename Value, bool relu, bool shortcut>
__global__ void __launch_bounds__(max_threads, threads_at_once / max_threads)
    apply_backward(const Value* y_gradient, const Value* x, const std::uint8_t* kept, std::int64_t rows, int channels,
                   const float* factors, Value* x_gradient, Value* shortcut_gradient) {
  constexpr int n = lanes<Value>;
  const Place<Value> place(channels);
  float of_z[n];
  float of_x[n];
  float constant[n];
#pragma unroll
  for (int i = 0; i < n; ++i) {
    of_z[i] = factors[place.channel + i];
    of_x[i] = factors[channels + place.channel + i];
    constant[i] = factors[2 * channels + place.channel + i];
  }
  for_rows<2>(
      place, rows,
      [&](std::int64_t row) { return load_backward<Value, relu>(y_gradient, x, kept, row * channels + place.channel); },
      [&](const GradientAndValues<Value>& loaded, std::int64_t row) {
        const std::int64_t at = row * channels + place.channel;
        Vector<Value> result;
        Vector<Value> of_shortcut;
#pragma unroll
        for (int i = 0; i < n; ++i) {
          const float z = passed<Value, relu>(loaded.gradient, loaded.bits, i);
          assign(result.values[i], of_z[i] * z + of_x[i] * to_float(loaded.values.values[i]) + constant[i]);
          assign(of_shortcut.values[i], z);
        }
        store(x_gradient + at, result);
        if constexpr (shortcut) store(shortcut_gradient + at, of_shortcut);
      });
}

void require(cudaError_t status) {
  if (status != cudaSuccess) throw Error(std::string("BatchNorm on the GPU: ") + cudaGetErrorString(status));
}

/// Of the current device.
int multiprocessors() {
  int device = 0;
  int count = 0;
  require(cudaGetDevice(&device));
  require(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device));
  return count;
}

int vectors_of(const Shape& shape) {
  const int value_bytes = shape.type == Type::float32 ? 4 : 2;
  return shape.channels * value_bytes / vector_bytes;
}

/// How a pass over all rows is launched.
struct Launch {
  int threads;
  int blocks;
  int shared_bytes;  // of a sum
};

Launch launch_of(const Shape& shape) {
  const int vectors = vectors_of(shape);
  const int threads = std::max(min_threads, vectors);
  const int rows = threads / vectors;
  const auto enough = (shape.rows + rows - 1) / rows;
  const auto most = static_cast<std::int64_t>(multiprocessors()) * (threads_at_once / threads);
  return {threads, static_cast<int>(std::min(enough, most)),
          2 * rows * shape.channels * static_cast<int>(sizeof(float))};
}

dim3 finish_grid(const Shape& shape) { return dim3(static_cast<unsigned>((shape.channels + 31) / 32)); }

template <typename Value, bool relu, bool shortcut>
void run_apply_forward(const Forward& what, const float* factors, CUstream_st* stream) {
  const Launch launch = launch_of(what.shape);
  apply_forward<Value, relu, shortcut><<<launch.blocks, launch.threads, 0, stream>>>(
      static_cast<const Value*>(what.x), static_cast<const Value*>(what.shortcut), what.shape.rows, what.shape.channels,
      factors, static_cast<Value*>(what.y), what.kept);
}

template <typename Value>
void run_forward(const Forward& what, CUstream_st* stream) {
  const Launch sums = launch_of(what.shape);
  float* const factors = what.scratch;
  float* const partial = what.scratch + 3 * what.shape.channels;
  sum_forward<Value><<<sums.blocks, sums.threads, sums.shared_bytes, stream>>>(
      static_cast<const Value*>(what.x), what.shape.rows, what.shape.channels, partial);
  finish_forward<Value>
      <<<finish_grid(what.shape), dim3(32, finalize_rows), 0, stream>>>(what, partial, sums.blocks, factors);
  const bool added = what.shortcut != nullptr;
  if (what.relu) {
    added ? run_apply_forward<Value, true, true>(what, factors, stream)
          : run_apply_forward<Value, true, false>(what, factors, stream);
  } else {
    added ? run_apply_forward<Value, false, true>(what, factors, stream)
          : run_apply_forward<Value, false, false>(what, factors, stream);
  }
  require(cudaGetLastError());
}

template <typename Value, bool relu, bool shortcut>
void run_apply_backward(const Backward& what, const float* factors, CUstream_st* stream) {
  const Launch launch = launch_of(what.shape);
  apply_backward<Value, relu, shortcut><<<launch.blocks, launch.threads, 0, stream>>>(
      static_cast<const Value*>(what.y_gradient), static_cast<const Value*>(what.x), what.kept, what.shape.rows,
      what.shape.channels, factors, static_cast<Value*>(what.x_gradient), static_cast<Value*>(what.shortcut_gradient));
}

template <typename Value, bool relu>
void run_backward(const Backward& what, CUstream_st* stream) {
  const Launch sums = launch_of(what.shape);
  float* const factors = what.scratch;
  float* const partial = what.scratch + 3 * what.shape.channels;
  sum_backward<Value, relu><<<sums.blocks, sums.threads, sums.shared_bytes, stream>>>(
      static_cast<const Value*>(what.y_gradient), static_cast<const Value*>(what.x), what.kept, what.mean,
      what.shape.rows, what.shape.channels, partial);
  finish_backward<<<finish_grid(what.shape), dim3(32, finalize_rows), 0, stream>>>(what, partial, sums.blocks, factors);
  what.shortcut_gradient != nullptr ? run_apply_backward<Value, relu, true>(what, factors, stream)
                                    : run_apply_backward<Value, relu, false>(what, factors, stream);
  require(cudaGetLastError());
}

template <typename Value>
void run_backward(const Backward& what, CUstream_st* stream) {
  what.kept != nullptr ? run_backward<Value, true>(what, stream) : run_backward<Value, false>(what, stream);
}

}  // namespace

bool fits(const Shape& shape) {
  const int vectors = vectors_of(shape);
  const bool power_of_two = (shape.channels & (shape.channels - 1)) == 0;
  return shape.rows > 1 && vectors >= 1 && shape.channels <= 2048 && power_of_two;
}

std::int64_t scratch_floats(const Shape& shape) {
  return static_cast<std::int64_t>(3 + 2 * launch_of(shape).blocks) * shape.channels;
}

void forward(const Forward& what, CUstream_st* stream) {
  switch (what.shape.type) {
    case Type::float32:
      return run_forward<float>(what, stream);
    case Type::float16:
      return run_forward<__half>(what, stream);
    case Type::bfloat16:
      return run_forward<__nv_bfloat16>(what, stream);
  }
}

void backward(const Backward& what, CUstream_st* stream) {
  switch (what.shape.type) {
    case Type::float32:
      return run_backward<float>(what, stream);
    case Type::float16:
      return run_backward<__half>(what, stream);
    case Type::bfloat16:
      return run_backward<__nv_bfloat16>(what, stream);
  }
}

}  // namespace relic::norm_kernel
