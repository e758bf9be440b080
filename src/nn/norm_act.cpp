#include "nn/norm_act.h"

#include <torch/torch.h>

#include "relic/nn/layer_watch.h"

namespace relic {

torch::Tensor norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                       const torch::Tensor& shortcut) {
  const torch::Tensor y = fused_norm_act(norm, x, after, shortcut);
  return watched(*norm, y.defined() ? y : plain_norm_act(norm, x, after, shortcut));
}

torch::Tensor plain_norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                             const torch::Tensor& shortcut) {
  torch::Tensor y = norm(x);
  if (shortcut.defined()) y += shortcut;
  return after == After::relu ? y.relu_() : y;
}

}  // namespace relic
