#include <torch/torch.h>

#include "relic/train/optimizer.h"

namespace relic {

Adam::Adam(std::vector<torch::Tensor> parameters, const AdamOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  for (const auto& parameter : parameters_) {
    // zeros_like keeps strides: the fused kernel wants moments laid out as their parameter.
    first_moments.push_back(torch::zeros_like(parameter));
    second_moments.push_back(torch::zeros_like(parameter));
    steps.push_back(torch::zeros({}, parameter.options().dtype(torch::kFloat).requires_grad(false)));
  }
}

void Adam::zero_grad() {
  for (auto& parameter : parameters_) {
    parameter.mutable_grad().reset();
  }
}

void Adam::step(const std::optional<torch::Tensor>& grad_scale, const std::optional<torch::Tensor>& found_inf) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> weights;
  std::vector<torch::Tensor> gradients;
  std::vector<torch::Tensor> first;
  std::vector<torch::Tensor> second;
  std::vector<torch::Tensor> counts;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].grad().defined()) {
      continue;
    }
    weights.push_back(parameters_[i]);
    gradients.push_back(parameters_[i].grad());
    first.push_back(first_moments[i]);
    second.push_back(second_moments[i]);
    counts.push_back(steps[i]);
  }
  at::_foreach_add_(counts, 1);
  // The learning rate is a training's constant: a recorded step keeps the one it was recorded with.
  at::_fused_adam_(weights, gradients, first, second, /*max_exp_avg_sqs=*/{}, counts, options_.learning_rate,
                   options_.beta1, options_.beta2, options_.weight_decay, options_.epsilon, /*amsgrad=*/false,
                   /*maximize=*/false, grad_scale, found_inf);
  if (found_inf) {
    // A skipped update does not count.
    at::_foreach_sub_(counts, std::vector<torch::Tensor>(counts.size(), *found_inf));
  }
}

}  // namespace relic
