#include "nn/convolution.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "nn/convolutions/ways.h"
#include "nn/cpu/channels.h"
#include "nn/winograd/conv3x3.h"
#include "relic/nn/autocast_scope.h"
#include "support/threads.h"

namespace relic {
namespace {

using testing::Threads;

/// Of the largest value: what the tiles' arithmetic costs, over the rounding of float32.
constexpr double kTolerance = 1e-4;

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a.to(torch::kDouble) - b).abs().max() / b.abs().max()).item<double>();
}

struct Sizes {
  std::int64_t images, height, width, in, out;
};

/// A convolution and its gradients for the gradient `y_gradient` of its output.
struct Results {
  torch::Tensor y, x_gradient, weight_gradient, bias_gradient;
};
enum class Backward : std::uint8_t { without_autocast, after_autocast, under_autocast };
Results run(Convolution convolution, torch::Tensor x, const torch::Tensor& y_gradient,
            Backward backward = Backward::without_autocast) {
  x = x.detach().requires_grad_();
  convolution->zero_grad(/*set_to_none=*/true);
  torch::Tensor y;
  const auto go_back = [&] { y.backward(y_gradient.to(y.scalar_type())); };
  {
    const bool autocast = backward != Backward::without_autocast;
    const AutocastScope scope(torch::kCPU, autocast ? std::optional(torch::kBFloat16) : std::nullopt);
    y = convolution(x);
    if (backward == Backward::under_autocast) go_back();
  }
  if (backward != Backward::under_autocast) go_back();
  const auto& bias = convolution->bias;
  return {y.detach(), x.grad(), convolution->weight.grad(), bias.defined() ? bias.grad() : torch::Tensor()};
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
  convolution->to(torch::kDouble);
  const auto exact = run(convolution, x.to(torch::kDouble), y_gradient);
  convolution->to(torch::kFloat);
  for (const int threads : {1, 2, 3, 7}) {
    const Threads guard(threads);
    const auto format = threads == 2 ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
    convolution->weight.set_data(convolution->weight.contiguous(format));
    const auto ours = run(convolution, x.contiguous(format), y_gradient.contiguous(format));
    EXPECT_LT(largest_difference(ours.y, exact.y), kTolerance) << threads;
    EXPECT_LT(largest_difference(ours.x_gradient, exact.x_gradient), kTolerance) << threads;
    EXPECT_LT(largest_difference(ours.weight_gradient, exact.weight_gradient), kTolerance) << threads;
    if (!winograd::kernels().empty()) {
      EXPECT_TRUE(ours.y.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
    if (threads == 1) {
      const torch::NoGradGuard no_grad;
      std::cout << "  differs by " << largest_difference(ours.y, exact.y)
                << " of the largest, its weight's gradient by "
                << largest_difference(ours.weight_gradient, exact.weight_gradient) << "; LibTorch's by "
                << largest_difference(torch::conv2d(x, convolution->weight, {}, 1, 1), exact.y) << '\n';
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Convolution, OfSizes,
                         ::testing::Values(Sizes{3, 1, 1, 32, 64}, Sizes{2, 2, 2, 64, 32}, Sizes{5, 3, 5, 32, 32},
                                           Sizes{2, 4, 4, 64, 64}, Sizes{7, 7, 7, 32, 96}, Sizes{3, 13, 13, 64, 64},
                                           Sizes{1, 32, 32, 64, 64}, Sizes{2, 9, 6, 96, 64}, Sizes{16, 8, 8, 128, 64},
                                           Sizes{1, 41, 3, 32, 32}, Sizes{40, 16, 16, 64, 64},
                                           Sizes{150, 4, 4, 512, 512}),
                         [](const auto& entry) {
                           const Sizes& s = entry.param;
                           return std::to_string(s.images) + "x" + std::to_string(s.height) + "x" +
                                  std::to_string(s.width) + "from" + std::to_string(s.in) + "to" +
                                  std::to_string(s.out);
                         });

/// How far `a` is off, of the largest value, over its rounding to bfloat16: half of a last digit, 2^-8 at most.
double largest_difference_but_rounding(const torch::Tensor& a, const torch::Tensor& b) {
  return (((a.to(torch::kDouble) - b).abs() - b.abs() / 256).max() / b.abs().max()).item<double>();
}

/// `even`: of stride 1/2, of the two sizes that a convolution of stride 2 would make these images of.
winograd::ConvShape shape_of(const Sizes& s, winograd::Stride stride, bool even) {
  const auto side = [stride, even](std::int64_t of_images) {
    if (stride == winograd::Stride::half) return 2 * of_images - (even ? 0 : 1);
    return stride == winograd::Stride::two ? (of_images + 1) / 2 : of_images;
  };
  return {.stride = stride,
          .images = s.images,
          .height = s.height,
          .width = s.width,
          .out_height = side(s.height),
          .out_width = side(s.width),
          .in = s.in,
          .out = s.out};
}

/// By LibTorch, of images [N, in, H, W] and weight [out, in, 3, 3].
torch::Tensor convolve(const torch::Tensor& images, const torch::Tensor& weight, winograd::Stride stride, bool even) {
  if (stride == winograd::Stride::half) {
    return torch::conv_transpose2d(images, weight.transpose(0, 1), {}, /*stride=*/2, /*padding=*/1,
                                   /*output_padding=*/even ? 1 : 0);
  }
  return torch::conv2d(images, weight, {}, stride == winograd::Stride::two ? 2 : 1, /*padding=*/1);
}

template <typename Value>
void expect_kernels_right(const winograd::Kernels& kernels, const Sizes& s, bool even, torch::ScalarType type) {
  const auto values = [](const torch::Tensor& x) { return static_cast<Value*>(x.data_ptr()); };
  const auto difference = type == torch::kFloat ? largest_difference : largest_difference_but_rounding;
  const auto shape = shape_of(s, winograd::stride_of(kernels), even);
  const auto x = torch::randn({s.images, s.height, s.width, s.in}).to(type);
  const auto y_gradient = torch::randn({s.images, shape.out_height, shape.out_width, s.out}).to(type);
  const auto taps = torch::randn({3, 3, s.in, s.out});
  const auto turned = taps.flip({0, 1}).contiguous();
  const auto by_outputs = taps.permute({3, 0, 1, 2}).contiguous();
  const auto weight = taps.permute({3, 2, 0, 1}).to(torch::kDouble).requires_grad_();
  const auto exact = convolve(x.permute({0, 3, 1, 2}).to(torch::kDouble), weight, shape.stride, even);
  exact.backward(y_gradient.permute({0, 3, 1, 2}).to(torch::kDouble));
  const std::int64_t tap = s.in * s.out;
  const std::vector<winograd::Taps> ways{
      {.first = taps.const_data_ptr<float>(), .row = 3 * tap, .column = tap, .channel = s.out, .output = 1},
      {.first = turned.const_data_ptr<float>() + 8 * tap,
       .row = -3 * tap,
       .column = -tap,
       .channel = s.out,
       .output = 1},
      {.first = by_outputs.const_data_ptr<float>(), .row = 3 * s.in, .column = s.in, .channel = 1, .output = 9 * s.in}};
  for (const int threads : {1, 3}) {
    const Threads guard(threads);
    const std::string name = winograd::name_of(kernels) + ", threads " + std::to_string(threads);
    for (const auto& way : ways) {
      const auto y = torch::full_like(y_gradient, NAN);
      winograd::convolve<Value>(kernels, shape, values(x), way, values(y));
      EXPECT_LT(difference(y, exact.detach().permute({0, 2, 3, 1})), kTolerance) << name;
    }
    const auto gradient = torch::full({s.out, 3, 3, s.in}, NAN);
    winograd::taps_gradient<Value>(kernels, shape, values(x), values(y_gradient), gradient.data_ptr<float>());
    EXPECT_LT(largest_difference(gradient, weight.grad().permute({0, 2, 3, 1})), kTolerance) << name;
  }
}

TEST(Convolution, AllKernelsOfThisProcessorGiveTheSameHoweverTheTapsLie) {
  torch::manual_seed(2);
  for (const Sizes& s :
       {Sizes{9, 11, 6, 64, 32}, Sizes{40, 2, 2, 32, 64}, Sizes{20, 16, 16, 64, 64}, Sizes{90, 5, 4, 96, 320}}) {
    for (const auto* const kernels : winograd::kernels()) {
      for (const bool even : {false, true}) {
        if (even && winograd::stride_of(*kernels) != winograd::Stride::half) continue;
        expect_kernels_right<float>(*kernels, s, even, torch::kFloat);
        expect_kernels_right<Bfloat16>(*kernels, s, even, torch::kBFloat16);
      }
    }
  }
}

struct Kind {
  const char* name;
  std::int64_t images, height, width, in, out, kernel, stride, groups;
  bool bias = false;
  double tolerance = 1e-5;  ///< what sums of float32 cost
};

class OfEveryKind : public ::testing::TestWithParam<Kind> {
 protected:
  OfEveryKind() {
    torch::manual_seed(6);
    convolution_->weight.set_data(channels_last(convolution_->weight));
  }

  static torch::Tensor channels_last(const torch::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }
  static torch::Tensor images() {
    const Kind& k = GetParam();
    return torch::randn({k.images, k.in, k.height, k.width});
  }
  static torch::Tensor y_gradient() {
    const Kind& k = GetParam();
    return torch::randn({k.images, k.out, (k.height - 1) / k.stride + 1, (k.width - 1) / k.stride + 1});
  }
  [[nodiscard]] Results exact(const torch::Tensor& x, const torch::Tensor& y_gradient) const {
    Convolution doubles(options_);
    const torch::OrderedDict<std::string, torch::Tensor> from = convolution_->named_parameters();
    {
      const torch::NoGradGuard no_grad;
      for (auto& item : doubles->named_parameters()) item.value().copy_(from[item.key()]);
    }
    doubles->to(torch::kDouble);
    return run(doubles, x.to(torch::kDouble), y_gradient);
  }

  torch::nn::Conv2dOptions options_ = torch::nn::Conv2dOptions(GetParam().in, GetParam().out, GetParam().kernel)
                                          .stride(GetParam().stride)
                                          .padding((GetParam().kernel - 1) / 2)
                                          .groups(GetParam().groups)
                                          .bias(GetParam().bias);
  Convolution convolution_{options_};
};

TEST_P(OfEveryKind, IsThatOfDoublePrecisionWithItsGradients) {
  const auto x = images();
  const auto of_y = y_gradient();
  const auto right = exact(x, of_y);
  for (const int threads : {1, 2, 3}) {
    const Threads guard(threads);
    const auto format = threads == 2 ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
    const auto ours = run(convolution_, x.contiguous(format), of_y.contiguous(format));
    EXPECT_LT(largest_difference(ours.y, right.y), GetParam().tolerance);
    EXPECT_LT(largest_difference(ours.x_gradient, right.x_gradient), GetParam().tolerance);
    EXPECT_LT(largest_difference(ours.weight_gradient, right.weight_gradient), GetParam().tolerance);
    if (GetParam().bias) {
      EXPECT_LT(largest_difference(ours.bias_gradient, right.bias_gradient), GetParam().tolerance);
    }
    convolution_->weight.set_data(convolution_->weight.contiguous());
  }
}

TEST_P(OfEveryKind, UnderAutocastRoundsOnlyWhatGoesInAndOut) {
  if (!computes_bfloat16_in_float32()) {
    GTEST_SUCCEED() << "LibTorch's here, whose weights are rounded, too";
    return;
  }
  const auto x = images().to(torch::kBFloat16);
  const auto of_y = y_gradient().to(torch::kBFloat16);
  const auto right = exact(x, of_y);
  // A bias is added to what is rounded already.
  const double tolerance = GetParam().tolerance + (GetParam().bias ? 1.0 / 256 : 0);
  for (const auto backward : {Backward::after_autocast, Backward::under_autocast}) {
    const auto ours = run(convolution_, channels_last(x), channels_last(of_y), backward);
    EXPECT_EQ(ours.y.scalar_type(), torch::kBFloat16);
    EXPECT_TRUE(ours.y.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_EQ(ours.x_gradient.scalar_type(), torch::kBFloat16);
    EXPECT_EQ(ours.weight_gradient.scalar_type(), torch::kFloat);
    EXPECT_LT(largest_difference_but_rounding(ours.y, right.y), tolerance);
    EXPECT_LT(largest_difference_but_rounding(ours.x_gradient, right.x_gradient), GetParam().tolerance);
    EXPECT_LT(largest_difference(ours.weight_gradient, right.weight_gradient), GetParam().tolerance);
  }
}

TEST_P(OfEveryKind, RepeatsItsBits) {
  const Threads guard(3);
  const auto x = images();
  const auto of_y = y_gradient();
  const auto once = run(convolution_, x, of_y);
  const auto again = run(convolution_, x, of_y);
  EXPECT_TRUE(torch::equal(once.y, again.y));
  EXPECT_TRUE(torch::equal(once.x_gradient, again.x_gradient));
  EXPECT_TRUE(torch::equal(once.weight_gradient, again.weight_gradient));
}

TEST_P(OfEveryKind, HasOnlyTheGradientsThatAreWanted) {
  const auto x = images();
  const auto both = run(convolution_, x, y_gradient());
  const auto of_y = torch::ones_like(both.y);
  convolution_->weight.mutable_grad().reset();
  convolution_(x).backward(of_y);  // as the first layer's: images want none
  const auto by_weight = convolution_->weight.grad().clone();
  convolution_->weight.mutable_grad().reset();
  convolution_->weight.requires_grad_(false);
  const auto wanting = x.detach().clone().requires_grad_();
  convolution_(wanting).backward(of_y);
  EXPECT_FALSE(convolution_->weight.grad().defined());
  convolution_->weight.requires_grad_(true);
  const auto all = run(convolution_, x, of_y);
  EXPECT_TRUE(torch::equal(by_weight, all.weight_gradient));
  EXPECT_TRUE(torch::equal(wanting.grad(), all.x_gradient));
}

/// As torch's may be, by ReLU in place, say.
TEST_P(OfEveryKind, GivesWhatCanBeChangedInPlace) {
  const auto x = images().requires_grad_();
  const auto y = convolution_(x);
  const auto expected = y.detach().relu();
  EXPECT_TRUE(torch::equal(convolution_(x).relu_().detach(), expected));
}

INSTANTIATE_TEST_SUITE_P(
    Convolution, OfEveryKind,
    ::testing::Values(
        Kind{"Depthwise", 5, 7, 9, 32, 32, 3, 1, 32}, Kind{"DepthwiseOfOnePixel", 40, 1, 1, 96, 96, 3, 1, 96},
        Kind{"DepthwiseOfOneColumn", 3, 5, 1, 24, 24, 3, 1, 24}, Kind{"DepthwiseLarge", 2, 33, 20, 64, 64, 3, 1, 64},
        Kind{"DepthwiseManyRows", 200, 6, 5, 16, 16, 3, 1, 16}, Kind{"DepthwiseStride2", 5, 7, 9, 32, 32, 3, 2, 32},
        Kind{"DepthwiseStride2EvenSides", 6, 8, 4, 40, 40, 3, 2, 40},
        Kind{"DepthwiseStride2Large", 8, 32, 30, 64, 64, 3, 2, 64},
        Kind{"DepthwiseStride2OfOnePixel", 6, 1, 1, 16, 16, 3, 2, 16}, Kind{"DepthwiseOf12", 3, 6, 6, 12, 12, 3, 1, 12},
        Kind{"DepthwiseTwice", 3, 6, 6, 32, 64, 3, 1, 32}, Kind{"Pointwise", 5, 7, 9, 24, 70, 1, 1, 1},
        Kind{"PointwiseWithBias", 5, 1, 1, 24, 70, 1, 1, 1, /*bias=*/true},
        Kind{"PointwiseOfOnePixel", 64, 1, 1, 300, 40, 1, 1, 1},
        Kind{"PointwiseOfManyPixels", 5, 30, 30, 16, 8, 1, 1, 1}, Kind{"PointwiseStride2", 4, 9, 8, 32, 64, 1, 2, 1},
        Kind{"PointwiseStride2OfManyChannels", 5, 7, 6, 128, 70, 1, 2, 1},
        Kind{"PointwiseStride2WithBias", 5, 7, 8, 256, 40, 1, 2, 1, /*bias=*/true},
        Kind{"PointwiseStride2ToOnePixel", 6, 2, 1, 257, 24, 1, 2, 1}, Kind{"Stride2", 6, 13, 9, 64, 32, 3, 2, 1},
        Kind{"Stride2WithBias", 5, 7, 8, 256, 64, 3, 2, 1, /*bias=*/true},
        Kind{"Stride2ToOnePixel", 6, 2, 1, 96, 32, 3, 2, 1}, Kind{"Stride2OfOnePixel", 6, 1, 1, 32, 32, 3, 2, 1},
        Kind{"Stride2OfChannelsThatFillNoVectors", 5, 7, 8, 40, 24, 3, 2, 1},
        Kind{"Stride2OfNarrowChannels", 7, 9, 8, 48, 192, 3, 2, 1},
        Kind{"Stride2ManyTiles", 40, 33, 32, 32, 64, 3, 2, 1}, Kind{"StemOf3", 4, 12, 12, 3, 64, 3, 1, 1},
        Kind{"StemOf7", 4, 24, 24, 3, 64, 7, 2, 1}, Kind{"MinimalFilter", 9, 8, 8, 64, 96, 3, 1, 1, false, kTolerance},
        Kind{"MinimalFilterWithBias", 9, 8, 8, 64, 96, 3, 1, 1, /*bias=*/true, kTolerance},
        Kind{"Grouped", 3, 8, 8, 64, 64, 3, 1, 2}),
    [](const auto& entry) { return std::string(entry.param.name); });

TEST_P(OfEveryKind, UnderAutocastTakesFloatImagesToo) {
  const auto x = images().to(torch::kBFloat16);
  const auto of_y = y_gradient();
  const auto as_floats = run(convolution_, x.to(torch::kFloat), of_y, Backward::after_autocast);
  const auto as_they_are = run(convolution_, x, of_y, Backward::after_autocast);
  EXPECT_EQ(as_floats.y.scalar_type(), torch::kBFloat16);
  EXPECT_EQ(as_floats.x_gradient.scalar_type(), torch::kFloat);
  EXPECT_TRUE(torch::equal(as_floats.y, as_they_are.y));
  EXPECT_TRUE(torch::equal(as_floats.x_gradient, as_they_are.x_gradient.to(torch::kFloat)));
}

/// As torch does, so that no machine takes what another refuses.
TEST(Convolution, RefusesBfloat16ImagesWithoutAutocast) {
  EXPECT_THROW(make({1, 8, 8, 32, 32})(torch::randn({2, 32, 8, 8}).to(torch::kBFloat16)), c10::Error);
}

TEST(Autocast, EndsWithItsScopeAndNoSooner) {
  const auto type = [] {
    auto convolution = make({1, 8, 8, 32, 32});
    return convolution(torch::randn({2, 32, 8, 8})).scalar_type();
  };
  {
    const AutocastScope outer(torch::kCPU, torch::kBFloat16);
    { const AutocastScope inner(torch::kCPU, torch::kHalf); }
    EXPECT_EQ(type(), torch::kBFloat16);
    { const AutocastScope none(torch::kCPU, std::nullopt); }
    EXPECT_EQ(type(), torch::kBFloat16);
  }
  EXPECT_EQ(type(), torch::kFloat);
}

TEST(Convolution, UnderAutocastLeavesDoublesToLibTorch) {
  auto convolution = make({1, 8, 8, 32, 32});
  convolution->to(torch::kDouble);
  const AutocastScope scope(torch::kCPU, torch::kBFloat16);
  const auto x = torch::randn({2, 32, 8, 8}, torch::kDouble);
  EXPECT_TRUE(torch::equal(convolution(x), torch::conv2d(x, convolution->weight, {}, 1, 1)));
}

TEST(Convolution, RepeatsItsBits) {
  torch::manual_seed(3);
  const Threads guard(3);
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

TEST(Convolution, HasNoSecondDerivativeAndSaysSo) {
  if (winograd::kernels().empty()) return;
  const auto x = torch::randn({2, 32, 4, 4}).requires_grad_();
  const auto expect_none = [](const torch::Tensor& y) {
    EXPECT_THROW(y.sum().backward({}, /*retain_graph=*/true, /*create_graph=*/true), c10::Error);
  };
  expect_none(make({1, 4, 4, 32, 32})(x));
  expect_none(make({1, 4, 4, 32, 32}, /*kernel=*/1)(x));
  expect_none(make({1, 4, 4, 32, 32}, 3, /*stride=*/2)(x));
  expect_none(make({1, 4, 4, 128, 32}, /*kernel=*/1, /*stride=*/2)(torch::randn({2, 128, 4, 4}).requires_grad_()));
  expect_none(Convolution(torch::nn::Conv2dOptions(32, 32, 3).groups(32).padding(1).bias(false))(x));
  if (computes_bfloat16_in_float32()) {
    const AutocastScope scope(torch::kCPU, torch::kBFloat16);
    expect_none(make({1, 4, 4, 32, 32}, /*kernel=*/1, /*stride=*/2)(x));  // by LibTorch, in float32
  }
}

TEST(Pointwise, OfStride2IsTakenForManyChannelsAndFewOutputs) {
  const auto taken = [](const Sizes& s, std::int64_t stride, std::int64_t padding = 0, std::int64_t groups = 1) {
    return cpu_convolutions::takes_pointwise(torch::empty({s.images, s.in, s.height, s.width}),
                                             torch::empty({s.out, s.in / groups, 1, 1}),
                                             {{stride, stride}, {padding, padding}, {1, 1}, groups});
  };
  EXPECT_TRUE(taken({2, 8, 7, 128, 64}, 2));
  EXPECT_FALSE(taken({2, 9, 7, 128, 64}, 2));  // 20 outputs
  EXPECT_FALSE(taken({2, 8, 7, 127, 64}, 2));
  EXPECT_FALSE(taken({2, 8, 7, 128, 64}, 3));
  EXPECT_FALSE(taken({2, 8, 7, 128, 64}, 2, /*padding=*/1));
  EXPECT_FALSE(taken({2, 8, 7, 128, 64}, 2, 0, /*groups=*/2));
  EXPECT_FALSE(taken({0, 8, 7, 128, 64}, 2));
}

TEST(MinimalFilter, IsTakenWhereChannelsFillVectors) {
  const auto taken = [](const Sizes& s, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                        std::int64_t dilation = 1, std::int64_t groups = 1) {
    return cpu_convolutions::takes_minimal_filter(torch::empty({s.images, s.in, s.height, s.width}),
                                                  torch::empty({s.out, s.in / groups, kernel, kernel}),
                                                  {{stride, stride}, {padding, padding}, {dilation, dilation}, groups});
  };
  for (const std::int64_t stride : {1, 2}) {
    EXPECT_EQ(taken({2, 8, 7, 64, 32}, 3, stride, 1), !winograd::kernels().empty());
    EXPECT_FALSE(taken({2, 8, 7, 40, 32}, 3, stride, 1));
    EXPECT_FALSE(taken({2, 8, 7, 32, 40}, 3, stride, 1));
    EXPECT_FALSE(taken({2, 8, 7, 64, 32}, 3, stride, 0));
    EXPECT_FALSE(taken({2, 8, 7, 64, 32}, 3, stride, 1, /*dilation=*/2));
    EXPECT_FALSE(taken({2, 8, 7, 64, 32}, 3, stride, 1, 1, /*groups=*/2));
    EXPECT_FALSE(taken({2, 8, 7, 64, 32}, 5, stride, 2));
    EXPECT_FALSE(taken({0, 8, 7, 64, 32}, 3, stride, 1));
  }
  EXPECT_FALSE(taken({2, 8, 7, 64, 32}, 3, 3, 1));
  EXPECT_EQ(taken({2, 2, 2, 64, 32}, 3, 1, 1), !winograd::kernels().empty());
  EXPECT_FALSE(taken({2, 2, 2, 64, 32}, 3, 2, 1));  // a single output
}

/// Everything else is LibTorch's own, to the last bit.
TEST(Convolution, IsLibTorchsWhereWeHaveNoFasterOne) {
  const auto expect_same = [](Convolution convolution, const torch::Tensor& x) {
    const torch::NoGradGuard no_grad;
    const auto& o = convolution->options;
    const auto padding = std::get<torch::ExpandingArray<2>>(o.padding());
    EXPECT_TRUE(torch::equal(convolution(x), torch::conv2d(x, convolution->weight, {}, o.stride(), padding,
                                                           /*dilation=*/1, o.groups())));
  };
  expect_same(make({1, 8, 8, 40, 32}, 3, /*stride=*/2), torch::randn({2, 40, 8, 8}));
  expect_same(make({1, 8, 8, 32, 32}, /*kernel=*/1), torch::randn({2, 32, 80, 80}));
  expect_same(make({1, 8, 8, 32, 32}, /*kernel=*/1, /*stride=*/2), torch::randn({2, 32, 8, 8}));
  expect_same(make({1, 8, 8, 3, 64}), torch::randn({2, 3, 8, 8}));
  expect_same(make({1, 8, 8, 32, 32}), torch::randn({0, 32, 8, 8}));
  expect_same(make({1, 8, 8, 32, 32}, /*kernel=*/1), torch::randn({0, 32, 8, 8}));
  expect_same(Convolution(torch::nn::Conv2dOptions(64, 64, 3).groups(2).padding(1).bias(false)),
              torch::randn({2, 64, 8, 8}));
  const auto options = [] { return torch::nn::Conv2dOptions(32, 32, 3).padding(1).bias(false); };
  expect_same(Convolution(options().padding(0)), torch::randn({2, 32, 8, 8}));
  expect_same(Convolution(options().padding(0).groups(32)), torch::randn({2, 32, 8, 8}));
  expect_same(Convolution(options().stride({1, 2})), torch::randn({2, 32, 8, 8}));
  expect_same(Convolution(options().stride({1, 2}).groups(32)), torch::randn({2, 32, 8, 8}));
  expect_same(Convolution(torch::nn::Conv2dOptions(32, 32, {1, 3}).padding({0, 1}).bias(false)),
              torch::randn({2, 32, 8, 8}));
  auto doubles = make({1, 8, 8, 32, 32});
  doubles->to(torch::kDouble);
  expect_same(doubles, torch::randn({2, 32, 8, 8}, torch::kDouble));
}

}  // namespace
}  // namespace relic
