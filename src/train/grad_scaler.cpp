#include "relic/train/grad_scaler.h"

#include <torch/torch.h>

#include <vector>

namespace relic {

namespace {
constexpr double kInitialScale = 65536;
constexpr double kGrowth = 2.0;
constexpr double kBackoff = 0.5;
constexpr std::int64_t kGrowthInterval = 2000;
}  // namespace

GradScaler::GradScaler(const torch::Device& device)
    : scale(torch::full({}, kInitialScale, torch::TensorOptions(device).dtype(torch::kFloat))),
      growth_tracker(torch::zeros({}, torch::TensorOptions(device).dtype(torch::kInt))) {}

void find_infinities(const torch::Tensor& loss, const Adam& adam, torch::Tensor& found_inf) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> gradients;
  for (const auto& parameter : adam.parameters()) {
    if (parameter.grad().defined()) {
      gradients.push_back(parameter.grad());
    }
  }
  found_inf.copy_(torch::isfinite(loss.detach()).logical_not());
  // Only looks (a factor of 1): the optimizer itself divides by the scale.
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, found_inf, torch::ones_like(found_inf));
}

void GradScaler::step(Adam& adam, const torch::Tensor& found_inf) {
  const torch::NoGradGuard no_grad;
  adam.step(scale, found_inf);
  at::_amp_update_scale_(scale, growth_tracker, found_inf, kGrowth, kBackoff, kGrowthInterval);
}

}  // namespace relic
