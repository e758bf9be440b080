// The projector (the original's critic): a two-layer perceptron without biases.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>

namespace relic {

/// Linear(in, hidden), ReLU, Linear(hidden, out), no biases: [N, in] to [N, out].
class ProjectorImpl : public torch::nn::Module {
 public:
  ProjectorImpl(std::int64_t in_dim, std::int64_t hidden_dim, std::int64_t out_dim);
  torch::Tensor forward(const torch::Tensor& features);

 private:
  torch::nn::Linear first_{nullptr};   // block.0
  torch::nn::Linear second_{nullptr};  // block.2
};
TORCH_MODULE(Projector);

}  // namespace relic
