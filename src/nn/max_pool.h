// The max pooling of a ResNet's imagenet stem.
#pragma once

#include <torch/types.h>

namespace relic {

/// max_pool2d with kernel 3, stride 2, padding 1, of images [N, C, H, W]. Its gradient on a GPU, by LibTorch, adds up
/// in no fixed order; where deterministic algorithms are asked for, this is max_pool_in_order.
torch::Tensor max_pool(const torch::Tensor& x);

/// The same values, by operations whose gradients add up in one order anywhere; slower.
torch::Tensor max_pool_in_order(const torch::Tensor& x);

}  // namespace relic
