#include "nn/convolution.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <string>
#include <tuple>
#include <vector>

#include "nn/winograd/conv3x3.h"

namespace relic {
namespace {

/// Of the largest value: what the tiles' arithmetic costs, over the rounding of float32.
constexpr double kTolerance = 2e-4;

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a.to(torch::kDouble) - b).abs().max() / b.abs().max()).item<double>();
}

struct Sizes {
  std::int64_t images, height, width, in, out;
};

/// A convolution and its gradients for the gradient `y_gradient` of its output.
struct Results {
  torch::Tensor y, x_gradient, weight_gradient;
};
Results run(Convolution convolution, torch::Tensor x, const torch::Tensor& y_gradient) {
  x = x.detach().requires_grad_();
  convolution->weight.mutable_grad().reset();
  const torch::Tensor y = convolution(x);
  y.backward(y_gradient.to(y.scalar_type()));
  return {y.detach(), x.grad(), convolution->weight.grad()};
}

Convolution make(const Sizes& s, std::int64_t kernel = 3, std::int64_t stride = 1) {
  return Convolution(
      torch::nn::Conv2dOptions(s.in, s.out, kernel).stride(stride).padding((kernel - 1) / 2).bias(false));
}

class OfSizes : public ::testing::TestWithParam<Sizes> {};

TEST_P(OfSizes, IsLibTorchsInDoublePrecisionWithItsGradients) {
  torch::manual_seed(1);
  const Sizes& s = GetParam();
  auto convolution = make(s);
  const auto x = torch::randn({s.images, s.in, s.height, s.width});
  const auto y_gradient = torch::randn({s.images, s.out, s.height, s.width});
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    convolution->weight.set_data(convolution->weight.contiguous(format));
    const auto ours = run(convolution, x.contiguous(format), y_gradient.contiguous(format));
    convolution->to(torch::kDouble);
    const auto exact = run(convolution, x.to(torch::kDouble), y_gradient);
    convolution->to(torch::kFloat);
    EXPECT_LT(largest_difference(ours.y, exact.y), kTolerance);
    EXPECT_LT(largest_difference(ours.x_gradient, exact.x_gradient), kTolerance);
    EXPECT_LT(largest_difference(ours.weight_gradient, exact.weight_gradient), kTolerance);
    EXPECT_TRUE(ours.y.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

INSTANTIATE_TEST_SUITE_P(Convolution, OfSizes,
                         ::testing::Values(Sizes{3, 1, 1, 32, 64}, Sizes{2, 2, 2, 64, 32}, Sizes{5, 3, 5, 32, 32},
                                           Sizes{2, 4, 4, 64, 64}, Sizes{7, 7, 7, 32, 96}, Sizes{3, 13, 13, 64, 64},
                                           Sizes{1, 32, 32, 64, 64}, Sizes{2, 9, 6, 96, 64}, Sizes{16, 8, 8, 128, 64},
                                           Sizes{1, 41, 3, 32, 32}),
                         [](const auto& entry) {
                           const Sizes& s = entry.param;
                           return std::to_string(s.images) + "x" + std::to_string(s.height) + "x" +
                                  std::to_string(s.width) + "from" + std::to_string(s.in) + "to" +
                                  std::to_string(s.out);
                         });

/// A channels-last convolution by these kernels, and its weight's gradient, both [.., channels last].
struct Direct {
  torch::Tensor y, taps_gradient;
};
Direct convolve_by(const winograd::Kernels& kernels, const Sizes& s, const torch::Tensor& x, const torch::Tensor& taps,
                   const torch::Tensor& y_gradient) {
  const winograd::ConvShape shape{s.images, s.height, s.width, s.in, s.out};
  Direct result{torch::empty({s.images, s.height, s.width, s.out}), torch::empty({s.out, 3, 3, s.in})};
  winograd::convolve(kernels, shape, x.const_data_ptr<float>(),
                     {.first = taps.const_data_ptr<float>(),
                      .row = taps.stride(0),
                      .column = taps.stride(1),
                      .channel = taps.stride(2),
                      .output = 1},
                     result.y.data_ptr<float>());
  winograd::taps_gradient(kernels, shape, x.const_data_ptr<float>(), y_gradient.const_data_ptr<float>(),
                          result.taps_gradient.data_ptr<float>());
  return result;
}

TEST(Convolution, AllKernelsOfThisProcessorGiveTheSame) {
  torch::manual_seed(2);
  for (const Sizes& s : {Sizes{9, 11, 6, 64, 32}, Sizes{40, 2, 2, 32, 64}, Sizes{4, 16, 16, 64, 64}}) {
    const auto x = torch::randn({s.images, s.height, s.width, s.in});
    const auto taps = torch::randn({3, 3, s.in, s.out});
    const auto y_gradient = torch::randn({s.images, s.height, s.width, s.out});
    const auto weight = taps.permute({3, 2, 0, 1}).to(torch::kDouble).requires_grad_();
    const auto exact = torch::conv2d(x.permute({0, 3, 1, 2}).to(torch::kDouble), weight, {}, 1, 1);
    exact.backward(y_gradient.permute({0, 3, 1, 2}).to(torch::kDouble));
    for (const auto* const kernels : winograd::kernels()) {
      const auto result = convolve_by(*kernels, s, x, taps, y_gradient);
      const std::string name = winograd::name_of(*kernels);
      EXPECT_LT(largest_difference(result.y, exact.detach().permute({0, 2, 3, 1})), kTolerance) << name;
      EXPECT_LT(largest_difference(result.taps_gradient, weight.grad().permute({0, 2, 3, 1})), kTolerance) << name;
    }
  }
}

TEST(Convolution, RepeatsItsBits) {
  torch::manual_seed(3);
  const Sizes s{24, 13, 13, 64, 64};
  auto convolution = make(s);
  const auto x = torch::randn({s.images, s.in, s.height, s.width});
  const auto y_gradient = torch::randn_like(x);
  const auto once = run(convolution, x, y_gradient);
  const auto again = run(convolution, x, y_gradient);
  EXPECT_TRUE(torch::equal(once.y, again.y));
  EXPECT_TRUE(torch::equal(once.x_gradient, again.x_gradient));
  EXPECT_TRUE(torch::equal(once.weight_gradient, again.weight_gradient));
}

TEST(Convolution, DoesNotDependOnWhatElseIsInTheBatch) {
  torch::manual_seed(4);
  auto convolution = make({1, 8, 8, 64, 64});
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({40, 64, 8, 8});
  const auto all = convolution(x);
  EXPECT_LT(largest_difference(convolution(x.slice(0, 17, 18)), all.slice(0, 17, 18).to(torch::kDouble)), kTolerance);
}

TEST(Convolution, LeavesWeightsAloneThatWantNoGradient) {
  auto convolution = make({1, 4, 4, 32, 32});
  convolution->weight.requires_grad_(false);
  const auto x = torch::randn({2, 32, 4, 4}).requires_grad_();
  convolution(x).sum().backward();
  EXPECT_FALSE(convolution->weight.grad().defined());
  EXPECT_TRUE(x.grad().defined());
}

/// Everything else is LibTorch's own, to the last bit.
TEST(Convolution, IsLibTorchsWhereThereIsNoMinimalFilter) {
  const auto expect_same = [](Convolution convolution, const torch::Tensor& x) {
    const torch::NoGradGuard no_grad;
    const auto& o = convolution->options;
    const auto padding = std::get<torch::ExpandingArray<2>>(o.padding());
    EXPECT_TRUE(torch::equal(convolution(x), torch::conv2d(x, convolution->weight, {}, o.stride(), padding)));
  };
  expect_same(make({1, 8, 8, 32, 32}, 3, /*stride=*/2), torch::randn({2, 32, 8, 8}));
  expect_same(make({1, 8, 8, 32, 32}, /*kernel=*/1), torch::randn({2, 32, 8, 8}));
  expect_same(make({1, 8, 8, 3, 64}), torch::randn({2, 3, 8, 8}));
  expect_same(make({1, 8, 8, 32, 32}), torch::randn({0, 32, 8, 8}));
  auto doubles = make({1, 8, 8, 32, 32});
  doubles->to(torch::kDouble);
  expect_same(doubles, torch::randn({2, 32, 8, 8}, torch::kDouble));
  auto halves = make({1, 8, 8, 32, 32});
  at::autocast::set_autocast_dtype(at::kCPU, torch::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const auto y = halves(torch::randn({2, 32, 8, 8}));
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
  EXPECT_EQ(y.scalar_type(), torch::kBFloat16);
}

}  // namespace
}  // namespace relic
