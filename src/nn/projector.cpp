#include "relic/nn/projector.h"

#include <torch/torch.h>

#include "relic/nn/layer_watch.h"

namespace relic {

namespace {

/// The original's critic holds a Sequential named "block": Linear "0", ReLU "1", Linear "2".
class Block : public torch::nn::Module {};

}  // namespace

ProjectorImpl::ProjectorImpl(std::int64_t in_dim, std::int64_t hidden_dim, std::int64_t out_dim) {
  const auto block = register_module("block", std::make_shared<Block>());
  first_ = block->register_module("0", torch::nn::Linear(torch::nn::LinearOptions(in_dim, hidden_dim).bias(false)));
  second_ = block->register_module("2", torch::nn::Linear(torch::nn::LinearOptions(hidden_dim, out_dim).bias(false)));
}

torch::Tensor ProjectorImpl::forward(const torch::Tensor& features) {
  const auto hidden = watched(*first_, first_(features)).relu_();
  return watched(*second_, second_(hidden));
}

}  // namespace relic
