#include "train/bf16_cost.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "nn/layers.h"
#include "relic/nn/autocast_scope.h"

namespace relic {

namespace {

double seconds_of_a_convolution(std::optional<torch::ScalarType> dtype) {
  constexpr std::int64_t kChannels = 64;
  auto convolution = make_conv({.in = kChannels, .out = kChannels, .kernel = 3});
  const auto images = torch::ones({32, kChannels, 16, 16}, dtype.value_or(torch::kFloat))
                          .contiguous(at::MemoryFormat::ChannelsLast)
                          .requires_grad_();
  double best = std::numeric_limits<double>::infinity();
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto began = std::chrono::steady_clock::now();
    {
      const AutocastScope autocast(torch::kCPU, dtype);
      convolution(images).sum().backward();
    }
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  }
  return best;
}

}  // namespace

double bf16_cost(int threads) {
  static const double cost = [threads] {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    const double ratio = seconds_of_a_convolution(torch::kBFloat16) / seconds_of_a_convolution(std::nullopt);
    at::set_num_threads(before);
    return ratio;
  }();
  return cost;
}

}  // namespace relic
