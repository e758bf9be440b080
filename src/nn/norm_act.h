// BatchNorm and what follows it.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/types.h>

namespace relic {

enum class After : std::uint8_t { nothing, relu };

/// norm(x), plus `shortcut` where there is one, and ReLU: [N, C, H, W] as x. On a GPU in one piece where that is
/// faster, with a gradient that has none itself.
torch::Tensor norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                       const torch::Tensor& shortcut = {});

/// Its definition, by LibTorch's operations.
torch::Tensor plain_norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                             const torch::Tensor& shortcut);

/// In one piece; undefined where that cannot be: it takes images of a GPU, channels_last, of 8 to 2,048 channels, a
/// power of two, in train mode.
torch::Tensor fused_norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                             const torch::Tensor& shortcut);

}  // namespace relic
