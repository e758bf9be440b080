// 2-d convolutions by the fastest way that there is for them.
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

namespace relic {

/// Whether convolutions under bfloat16's autocast on a CPU are computed in float32 here: where vectors have a minimal
/// filter, and no matrix unit (Intel's AMX) multiplies bfloat16 faster.
bool computes_bfloat16_in_float32();

/// torch's convolution, but for two things on a CPU, of which there are no second derivatives:
/// - Those of 3×3 with stride 1 by Winograd's minimal filters, forward and backward: about twice as fast as LibTorch's,
///   and right to 1e-4 of the largest value at worst.
/// - Under bfloat16's autocast, where computes_bfloat16_in_float32(), weights and sums are float32, and what comes in
/// and
///   goes out is bfloat16: faster and more exact than LibTorch's.
class ConvolutionImpl : public torch::nn::Conv2dImpl {
 public:
  using Conv2dImpl::Conv2dImpl;
  torch::Tensor forward(const torch::Tensor& images);

 private:
  torch::Tensor compute(const torch::Tensor& images);
  [[nodiscard]] bool has_minimal_filter(const torch::Tensor& images, const torch::ExpandingArray<2>& padding) const;
};
TORCH_MODULE(Convolution);

}  // namespace relic
