#include "nn/max_pool.h"

#include <torch/torch.h>

#include <cstdint>
#include <limits>

namespace relic {

namespace {
constexpr std::int64_t kKernel = 3;
constexpr std::int64_t kStride = 2;
constexpr std::int64_t kPadding = 1;
}  // namespace

torch::Tensor max_pool(const torch::Tensor& x) {
  const bool in_order = x.is_cuda() && at::globalContext().deterministicAlgorithms();
  return in_order ? max_pool_in_order(x) : torch::max_pool2d(x, kKernel, kStride, kPadding);
}

torch::Tensor max_pool_in_order(const torch::Tensor& x) {
  const auto padded =
      torch::constant_pad_nd(x, {kPadding, kPadding, kPadding, kPadding}, -std::numeric_limits<double>::infinity());
  // What lies at one place of every window: of each, the first largest value is taken, or a NaN.
  const auto at_place = [&padded](std::int64_t row, std::int64_t column) {
    return padded.slice(2, row, padded.size(2) - kKernel + 1 + row, kStride)
        .slice(3, column, padded.size(3) - kKernel + 1 + column, kStride);
  };
  torch::Tensor largest = at_place(0, 0);
  for (std::int64_t place = 1; place < kKernel * kKernel; ++place) {
    const auto other = at_place(place / kKernel, place % kKernel);
    largest = torch::where((other > largest).logical_or(other.isnan()), other, largest);
  }
  return largest;
}

}  // namespace relic
