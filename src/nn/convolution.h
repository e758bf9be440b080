// 2-d convolutions by the fastest way that there is for them.
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

namespace relic {

/// Whether convolutions under bfloat16's autocast on a CPU are computed in float32 here: where vectors have a minimal
/// filter, and no matrix unit (Intel's AMX) multiplies bfloat16 faster.
bool computes_bfloat16_in_float32();

/// torch's convolution, without second derivatives on a CPU, where it is computed in the fastest way that there is:
/// - in float32 by cpu_convolutions where those are faster than LibTorch's;
/// - under bfloat16's autocast, where computes_bfloat16_in_float32(), likewise: what comes in and goes out is bfloat16,
///   weights and sums are float32, which is faster and more exact than LibTorch's.
class ConvolutionImpl : public torch::nn::Conv2dImpl {
 public:
  using Conv2dImpl::Conv2dImpl;
  torch::Tensor forward(const torch::Tensor& images);

 private:
  torch::Tensor compute(const torch::Tensor& images);
};
TORCH_MODULE(Convolution);

}  // namespace relic
