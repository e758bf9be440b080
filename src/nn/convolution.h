// 2-d convolutions by the fastest way that there is for them.
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

namespace relic {

/// Whether convolutions under bfloat16's autocast on a CPU are computed in float32 here: where there are minimal
/// filters for the processor's vectors, and it multiplies no bfloat16, or that no faster. It is told by the kind of
/// processor and not by trying, so that a training that is resumed stays the same to the bit.
bool computes_bfloat16_in_float32();

/// torch's convolution, but by the ways of nn/convolutions/ways.h, without second derivatives, where images and weight
/// are on a CPU and
/// - in float32, where one is faster than LibTorch's;
/// - under bfloat16's autocast, where computes_bfloat16_in_float32(): what comes in and goes out is bfloat16, weights,
///   products and sums are float32. A bias is added in bfloat16.
class ConvolutionImpl : public torch::nn::Conv2dImpl {
 public:
  using Conv2dImpl::Conv2dImpl;
  torch::Tensor forward(const torch::Tensor& images);

 private:
  torch::Tensor compute(const torch::Tensor& images);
};
TORCH_MODULE(Convolution);

}  // namespace relic
