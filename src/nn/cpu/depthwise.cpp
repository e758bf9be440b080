#include "nn/cpu/depthwise.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "nn/cpu/channels.h"
#include "nn/cpu/depthwise_passes.h"
#include "nn/cpu/lanes.h"
#include "nn/cpu/targets.h"

namespace relic::cpu_depthwise {

namespace {

template <typename Value>
struct Compiled {
  bool (*available)();
  int lanes;
  decltype(&Passes<Lanes<8>, Value>::convolve) convolve;
  decltype(&Passes<Lanes<8>, Value>::images_gradient_of_stride_2) images_gradient_of_stride_2;
  decltype(&Passes<Lanes<8>, Value>::add_taps_gradient) add_taps_gradient;
};

template <typename On, int lanes, typename Value, typename P = Passes<Lanes<lanes>, Value>>
constexpr Compiled<Value> compiled{On::available, lanes, On::template run<P::convolve>,
                                   On::template run<P::images_gradient_of_stride_2>,
                                   On::template run<P::add_taps_gradient>};

template <typename Value>
const Compiled<Value>* passes_for(std::int64_t channels) {
  return that_runs({&compiled<OnAvx512, 16, Value>, &compiled<OnAvx2, 8, Value>}, channels);
}

enum class Order : std::uint8_t { forward, reverse };

/// [9, channels] of [channels, 9].
std::vector<float> by_tap(const Shape& shape, const float* taps, Order order) {
  std::vector<float> turned(static_cast<std::size_t>(kTaps * shape.channels));
  for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
    for (std::int64_t tap = 0; tap < kTaps; ++tap) {
      const std::int64_t at = order == Order::forward ? tap : kTaps - 1 - tap;
      turned[static_cast<std::size_t>(at * shape.channels + channel)] = taps[channel * kTaps + tap];
    }
  }
  return turned;
}

/// Rows that are worth a thread.
std::int64_t least_rows(const Shape& shape) {
  constexpr std::int64_t least_products = 65536;
  return std::max<std::int64_t>(1, least_products / (kTaps * shape.width * shape.channels));
}

template <typename Value>
void convolve_in_order(const Shape& shape, const Value* x, const float* taps, Order order, Value* y) {
  const auto turned = by_tap(shape, taps, order);
  const auto& passes = *passes_for<Value>(shape.channels);
  at::parallel_for(0, shape.images * shape.out_height(), least_rows(shape), [&](std::int64_t begin, std::int64_t end) {
    passes.convolve(shape, {begin, end}, x, turned.data(), y);
  });
}

}  // namespace

bool fits(const Shape& shape) {
  return shape.images > 0 && shape.channels <= kMostChannels && passes_for<float>(shape.channels) != nullptr;
}

template <typename Value>
void convolve(const Shape& shape, const Value* x, const float* taps, Value* y) {
  convolve_in_order(shape, x, taps, Order::forward, y);
}

template <typename Value>
void images_gradient(const Shape& shape, const Value* y_gradient, const float* taps, Value* x_gradient) {
  if (shape.stride == 1) {
    convolve_in_order(shape, y_gradient, taps, Order::reverse, x_gradient);
    return;
  }
  const auto turned = by_tap(shape, taps, Order::forward);
  const auto& passes = *passes_for<Value>(shape.channels);
  at::parallel_for(0, shape.images * shape.height, least_rows(shape), [&](std::int64_t begin, std::int64_t end) {
    passes.images_gradient_of_stride_2(shape, {begin, end}, y_gradient, turned.data(), x_gradient);
  });
}

template <typename Value>
void taps_gradient(const Shape& shape, const Value* x, const Value* y_gradient, float* gradient) {
  // Each part has a sum of its own, so that the order of its terms does not depend on which thread is the faster.
  // Sums of a block are float32, those of blocks float64, which keeps their digits.
  constexpr std::int64_t block = 64;
  const std::int64_t rows = shape.images * shape.out_height();
  const std::int64_t parts = std::clamp<std::int64_t>(rows / least_rows(shape), 1, at::get_num_threads());
  const std::int64_t size = kTaps * shape.channels;
  std::vector<double> sums(static_cast<std::size_t>(parts * size));
  const auto& passes = *passes_for<Value>(shape.channels);
  at::parallel_for(0, parts, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t part = first; part < last; ++part) {
      const std::int64_t end = rows * (part + 1) / parts;
      for (std::int64_t row = rows * part / parts; row < end; row += block) {
        std::vector<float> of_block(static_cast<std::size_t>(size));
        passes.add_taps_gradient(shape, {row, std::min(row + block, end)}, x, y_gradient, of_block.data());
        for (std::int64_t i = 0; i < size; ++i) {
          sums[static_cast<std::size_t>(part * size + i)] += static_cast<double>(of_block[static_cast<std::size_t>(i)]);
        }
      }
    }
  });
  for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
    for (std::int64_t tap = 0; tap < kTaps; ++tap) {
      double sum = 0;
      for (std::int64_t part = 0; part < parts; ++part) {
        sum += sums[static_cast<std::size_t>(part * size + tap * shape.channels + channel)];
      }
      gradient[channel * kTaps + tap] = static_cast<float>(sum);
    }
  }
}

template void convolve(const Shape&, const float*, const float*, float*);
template void convolve(const Shape&, const Bfloat16*, const float*, Bfloat16*);
template void images_gradient(const Shape&, const float*, const float*, float*);
template void images_gradient(const Shape&, const Bfloat16*, const float*, Bfloat16*);
template void taps_gradient(const Shape&, const float*, const float*, float*);
template void taps_gradient(const Shape&, const Bfloat16*, const Bfloat16*, float*);

}  // namespace relic::cpu_depthwise
