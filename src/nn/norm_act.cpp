#include "nn/norm_act.h"

#include <torch/torch.h>

#include <vector>

#include "relic/nn/layer_watch.h"
#include "relic/nn/per_view_statistics.h"

namespace relic {

namespace {

torch::Tensor normalised(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, std::int64_t views) {
  if (views == 1) return norm(x);
  TORCH_CHECK(x.size(0) % views == 0, x.size(0), " images are no ", views, " views");
  std::vector<torch::Tensor> parts = x.split(x.size(0) / views);  // whose gradient, unlike tensor_split's, is one piece
  for (auto& part : parts) part = norm(part);
  return torch::cat(parts);
}

}  // namespace

torch::Tensor norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                       const torch::Tensor& shortcut) {
  const std::int64_t views = norm->is_training() ? PerViewStatistics::views() : 1;
  const torch::Tensor y = fused_norm_act(norm, x, after, shortcut, views);
  return watched(*norm, y.defined() ? y : plain_norm_act(norm, x, after, shortcut, views));
}

torch::Tensor plain_norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                             const torch::Tensor& shortcut, std::int64_t views) {
  torch::Tensor y = normalised(norm, x, views);
  if (shortcut.defined()) y += shortcut;
  return after == After::relu ? y.relu_() : y;
}

}  // namespace relic
