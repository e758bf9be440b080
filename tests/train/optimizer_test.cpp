#include "relic/train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>

#include "relic/train/grad_scaler.h"

namespace relic {

namespace {

void set_gradient(torch::Tensor& parameter, const torch::Tensor& gradient) { parameter.mutable_grad() = gradient; }

}  // namespace

/// Kingma and Ba's algorithm 1, with L2 decay in the gradient, one number at a time.
TEST(Adam, FollowsThePapersAlgorithmInFloat64) {
  auto parameter = torch::tensor({0.5, -2.0, 3.0}, torch::kDouble).requires_grad_();
  Adam adam({parameter}, {0.1, 0.01});
  std::array<double, 3> w{0.5, -2.0, 3.0};
  std::array<double, 3> m{};
  std::array<double, 3> v{};
  for (int t = 1; t <= 20; ++t) {
    const auto gradient = torch::tensor({std::sin(t), std::cos(3.0 * t), 0.01 * t}, torch::kDouble);
    set_gradient(parameter, gradient.clone());
    adam.step();
    for (std::size_t i = 0; i < 3; ++i) {
      const double g = gradient[static_cast<std::int64_t>(i)].item<double>() + 0.01 * w[i];
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      w[i] -= 0.1 * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
      EXPECT_NEAR(parameter[static_cast<std::int64_t>(i)].item<double>(), w[i], 1e-12);
    }
  }
}

TEST(Adam, AgreesWithLibTorchsAdamInFloat32ChannelsLast) {
  torch::manual_seed(1);
  auto ours = torch::randn({8, 4, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  auto theirs = ours.detach().clone().requires_grad_();
  Adam adam({ours}, {3e-4, 1e-5});
  torch::optim::Adam reference({theirs}, torch::optim::AdamOptions(3e-4).weight_decay(1e-5));
  for (int i = 0; i < 10; ++i) {
    const auto gradient = torch::randn({8, 4, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
    set_gradient(ours, gradient.clone());
    set_gradient(theirs, gradient.clone());
    adam.step();
    reference.step();
  }
  EXPECT_LT((ours - theirs).abs().max().item<double>(), 1e-6);
}

TEST(Adam, LeavesAParameterWithoutGradientAlone) {
  auto moved = torch::ones({2}).requires_grad_();
  auto kept = torch::ones({2}).requires_grad_();
  Adam adam({moved, kept}, {0.1, 0.1});
  set_gradient(moved, torch::ones({2}));
  adam.step();
  EXPECT_NE(moved[0].item<float>(), 1.F);
  EXPECT_EQ(kept[0].item<float>(), 1.F);
  EXPECT_EQ(adam.steps[1].item<float>(), 0.F);
}

/// What a step under the scaler does; whether it was skipped.
float look_and_step(GradScaler& scaler, const torch::Tensor& loss, Adam& adam) {
  auto found_inf = torch::zeros({});
  find_infinities(loss, adam, found_inf);
  scaler.step(adam, found_inf);
  return found_inf.item<float>();
}

TEST(GradScaler, ScaledGradientsGiveTheUnscaledStep) {
  auto scaled = torch::tensor({1.F, -1.F}).requires_grad_();
  auto plain = torch::tensor({1.F, -1.F}).requires_grad_();
  Adam scaled_adam({scaled}, {0.1, 0});
  Adam plain_adam({plain}, {0.1, 0});
  GradScaler scaler(torch::kCPU);
  scaler.scaled((scaled * scaled).sum()).backward();
  (plain * plain).sum().backward();
  EXPECT_EQ(scaled.grad()[0].item<float>(), 65536 * plain.grad()[0].item<float>());
  look_and_step(scaler, (scaled * scaled).sum(), scaled_adam);
  plain_adam.step();
  EXPECT_TRUE(torch::equal(scaled, plain));
}

TEST(GradScaler, AnOverflowSkipsTheStepAndHalvesTheScale) {
  auto parameter = torch::ones({2}).requires_grad_();
  Adam adam({parameter}, {0.1, 0});
  GradScaler scaler(torch::kCPU);
  set_gradient(parameter, torch::tensor({std::numeric_limits<float>::infinity(), 1.F}));
  EXPECT_EQ(look_and_step(scaler, torch::ones({}), adam), 1.F);
  EXPECT_TRUE(torch::equal(parameter.detach(), torch::ones({2})));
  EXPECT_EQ(adam.steps[0].item<float>(), 0.F);
  EXPECT_EQ(adam.first_moments[0].abs().sum().item<float>(), 0.F);
  EXPECT_EQ(scaler.scale.item<float>(), 32768.F);
}

TEST(GradScaler, ALossThatIsNotFiniteSkipsTheStepWhateverItsGradient) {
  auto parameter = torch::ones({2}).requires_grad_();
  Adam adam({parameter}, {0.1, 0});
  GradScaler scaler(torch::kCPU);
  set_gradient(parameter, torch::ones({2}));
  EXPECT_EQ(look_and_step(scaler, torch::tensor(std::numeric_limits<float>::infinity()), adam), 1.F);
  EXPECT_TRUE(torch::equal(parameter.detach(), torch::ones({2})));
  EXPECT_EQ(look_and_step(scaler, torch::ones({}), adam), 0.F);
  EXPECT_FALSE(torch::equal(parameter.detach(), torch::ones({2})));
}

TEST(GradScaler, TheScaleDoublesAfter2000GoodSteps) {
  auto parameter = torch::ones({1}).requires_grad_();
  Adam adam({parameter}, {0, 0});
  GradScaler scaler(torch::kCPU);
  for (int i = 0; i < 1999; ++i) {
    set_gradient(parameter, torch::ones({1}));
    look_and_step(scaler, torch::ones({}), adam);
  }
  EXPECT_EQ(scaler.scale.item<float>(), 65536.F);
  set_gradient(parameter, torch::ones({1}));
  look_and_step(scaler, torch::ones({}), adam);
  EXPECT_EQ(scaler.scale.item<float>(), 131072.F);
}

}  // namespace relic
