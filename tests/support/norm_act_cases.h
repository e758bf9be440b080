// BatchNorm in one piece against LibTorch's operations, on any device.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <vector>

#include "nn/norm_act.h"

namespace relic::testing {

struct Case {
  std::int64_t images, channels, side;
  bool shortcut, relu;
  std::int64_t views = 1;
};

struct Outcome {
  torch::Tensor y, x_gradient, shortcut_gradient, weight_gradient, bias_gradient, running_mean, running_variance;
  std::int64_t batches = 0;
};

inline torch::Tensor in_rows(const torch::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

/// `type`: of images and gradients; the definition is computed in float64 on images rounded to it.
inline Outcome outcome_of(const Case& of, torch::ScalarType type, const torch::Device& device, bool fused) {
  torch::manual_seed(3);
  const auto noise = [&] { return in_rows(torch::randn({of.images, of.channels, of.side, of.side}, device)); };
  const auto exact = fused ? type : torch::kDouble;
  // Channels of different means and deviations, as convolutions give them.
  const auto spread = torch::linspace(0.2, 3, of.channels, device).view({1, -1, 1, 1});
  const auto x = (noise() * spread + 4 * spread).to(type).to(exact).requires_grad_();
  const auto shortcut = of.shortcut ? noise().to(type).to(exact).requires_grad_() : torch::Tensor{};
  torch::nn::BatchNorm2d norm(of.channels);
  norm->to(device);
  {
    const torch::NoGradGuard no_grad;
    norm->weight.uniform_(0.5, 1.5);
    norm->bias.uniform_(-0.5, 0.5);
    norm->running_mean.uniform_(-1, 1);
  }
  // Where z is next to 0, rounding decides whether ReLU lets it pass: nothing comes back there.
  std::vector<torch::Tensor> normalised;
  for (const auto& view : x.detach().to(torch::kDouble).tensor_split(of.views)) {
    normalised.push_back(torch::batch_norm(view, norm->weight.to(torch::kDouble), norm->bias.to(torch::kDouble), {}, {},
                                           /*training=*/true, /*momentum=*/0, norm->options.eps(),
                                           /*cudnn_enabled=*/false));
  }
  const auto z = torch::cat(normalised) +
                 (of.shortcut ? shortcut.detach().to(torch::kDouble) : torch::zeros_like(x.detach(), torch::kDouble));
  const auto y_gradient = noise().to(type).to(exact) * (z.abs() > 1e-4).to(exact);
  if (!fused) norm->to(torch::kDouble);
  const auto after = of.relu ? After::relu : After::nothing;
  const auto y =
      fused ? fused_norm_act(norm, x, after, shortcut, of.views) : plain_norm_act(norm, x, after, shortcut, of.views);
  EXPECT_TRUE(y.defined());
  y.backward(y_gradient);
  const auto gradient = [](const torch::Tensor& leaf) { return leaf.defined() ? leaf.grad() : torch::Tensor{}; };
  return {y.detach(),        gradient(x),        gradient(shortcut), norm->weight.grad(),
          norm->bias.grad(), norm->running_mean, norm->running_var,  norm->num_batches_tracked.item<std::int64_t>()};
}

inline double difference(const torch::Tensor& got, const torch::Tensor& expected) {
  EXPECT_EQ(got.sizes(), expected.sizes());
  const auto exact = expected.to(torch::kDouble);
  return ((got.to(torch::kDouble) - exact).norm() / exact.norm()).item<double>();
}

struct Sizes {
  std::vector<std::int64_t> images, channels, sides;
  std::int64_t views = 1;
};

/// Prints how far apart they are at most, relative to the largest.
inline void compare_with_definition(torch::ScalarType type, const torch::Device& device, const Sizes& sizes) {
  const double rounding = type == torch::kFloat ? 2e-6 : type == torch::kHalf ? 1e-3 : 8e-3;
  double largest = 0;
  const auto compare = [&](const Case& of) {
    const auto got = outcome_of(of, type, device, true);
    const auto expected = outcome_of(of, type, device, false);
    const auto check = [&](const torch::Tensor& a, const torch::Tensor& b, const char* what, double factor) {
      if (!b.defined()) return;
      const double apart = difference(a, b);
      largest = std::max(largest, apart);
      EXPECT_LT(apart, factor * rounding)
          << what << ", " << of.images << " images, " << of.channels << " channels, side " << of.side
          << (of.shortcut ? ", shortcut" : "") << (of.relu ? ", relu" : "");
    };
    EXPECT_EQ(got.y.scalar_type(), type);
    EXPECT_TRUE(got.y.is_contiguous(at::MemoryFormat::ChannelsLast));
    check(got.y, expected.y, "y", 1);
    check(got.x_gradient, expected.x_gradient, "gradient of x", 2);
    check(got.shortcut_gradient, expected.shortcut_gradient, "gradient of the shortcut", 1);
    check(got.weight_gradient, expected.weight_gradient, "gradient of the weight", 2);
    check(got.bias_gradient, expected.bias_gradient, "gradient of the bias", 2);
    check(got.running_mean, expected.running_mean, "running mean", 1);
    check(got.running_variance, expected.running_variance, "running variance", 1);
    EXPECT_EQ(got.batches, of.views);
  };
  for (const auto images : sizes.images) {
    for (const auto channels : sizes.channels) {
      for (const auto side : sizes.sides) {
        for (const bool shortcut : {false, true}) {
          for (const bool relu : {false, true}) compare({images, channels, side, shortcut, relu, sizes.views});
        }
      }
    }
  }
  std::printf("  %s: at most %.2g apart\n", torch::toString(type), largest);
}

inline void expect_what_is_no_number_is_handed_on(const torch::Device& device) {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto x = in_rows(torch::randn({4, 64, 8, 8}, device));
    x[1][5][2][3] = value;
    torch::nn::BatchNorm2d fused(64);
    torch::nn::BatchNorm2d plain(64);
    fused->to(device);
    plain->to(device);
    const auto y = fused_norm_act(fused, x, After::relu, {});
    EXPECT_TRUE(torch::equal(y.isnan(), plain_norm_act(plain, x, After::relu, {}).isnan()));
    EXPECT_EQ(y.isnan().sum().item<std::int64_t>(), 4 * 8 * 8);
  }
}

inline void expect_the_same_without_gradients(torch::ScalarType type, const torch::Device& device) {
  const auto x = in_rows(torch::randn({16, 64, 8, 8}, device)).to(type);
  torch::nn::BatchNorm2d norm(64);
  norm->to(device);
  const auto with = fused_norm_act(norm, x, After::relu, x);
  const torch::NoGradGuard no_grad;
  EXPECT_TRUE(torch::equal(with, fused_norm_act(norm, x, After::relu, x)));
}

}  // namespace relic::testing
