// BatchNorm and what follows it.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/types.h>

#include <cstdint>

namespace relic {

enum class After : std::uint8_t { nothing, relu };

/// norm(x), plus `shortcut` where there is one, and ReLU: [N, C, H, W] as x, in train mode by statistics of each view
/// where PerViewStatistics asks for them. In one piece where that can be, which is faster, with a gradient that has
/// none itself.
torch::Tensor norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                       const torch::Tensor& shortcut = {});

/// Its definition, by LibTorch's operations. `views`: of which x consists, N a multiple of them.
torch::Tensor plain_norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                             const torch::Tensor& shortcut, std::int64_t views = 1);

/// In one piece; undefined where that cannot be: it takes images, channels_last, in train mode, more than one value a
/// channel and view, on a GPU of 8 to 2,048 channels, a power of two, on a CPU with AVX2 float32 and bfloat16 of
/// channels that are multiples of 8.
torch::Tensor fused_norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                             const torch::Tensor& shortcut, std::int64_t views = 1);

}  // namespace relic
