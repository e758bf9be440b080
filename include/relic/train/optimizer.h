// Adam with L2 weight decay, as torch.optim.Adam, in one fused call.
#pragma once

#include <torch/types.h>

#include <optional>
#include <vector>

namespace relic {

struct AdamOptions {
  double learning_rate = 3e-4;
  double weight_decay = 1e-5;  ///< added to the gradient times the weight, for all parameters
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// Kingma and Ba 2015, arXiv 1412.6980. Parameters without a gradient are left alone.
class Adam {
 public:
  Adam(std::vector<torch::Tensor> parameters, const AdamOptions& options);

  void zero_grad();
  /// One update. `grad_scale`, a gradient scaler's, divides the gradients; `found_inf` (1: skip) leaves all as it was.
  void step(const std::optional<torch::Tensor>& grad_scale = {}, const std::optional<torch::Tensor>& found_inf = {});

  [[nodiscard]] const std::vector<torch::Tensor>& parameters() const { return parameters_; }
  [[nodiscard]] const AdamOptions& options() const { return options_; }

  /// Moments and steps, aligned with the parameters; a checkpoint holds them and copies into them.
  std::vector<torch::Tensor> first_moments;   // like the parameter
  std::vector<torch::Tensor> second_moments;  // like the parameter
  std::vector<torch::Tensor> steps;           // scalar float32

 private:
  std::vector<torch::Tensor> parameters_;
  AdamOptions options_;
};

}  // namespace relic
