// Ways to compute a convolution on a CPU that are faster than LibTorch's, each with its gradients; there are no second
// derivatives. Images are [N, in, H, W] in float32 or bfloat16, in any layout; outputs are [N, out, H', W'] of the same
// type, channels last. Weights, as torch has them, sums and the weight's gradient are float32, under autocast, too.
// There is no bias. A way is to be taken where its takes_…() is true, and throws c10::Error elsewhere.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace relic::cpu_convolutions {

/// How a kernel is laid over images: torch's terms, of two dimensions.
struct Geometry {
  at::IntArrayRef stride;
  at::IntArrayRef padding;
  at::IntArrayRef dilation;
  std::int64_t groups;
};

/// 3×3 of padding 1 by Winograd's minimal filters, right to 1e-4 of the largest value at worst: of stride 1 about twice
/// as fast as LibTorch's, of stride 2 about as fast on large images and up to twice as fast on small ones.
torch::Tensor by_minimal_filter(const torch::Tensor& images, const torch::Tensor& weight, std::int64_t stride);
bool takes_minimal_filter(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry);

/// 3×3 of each channel by itself, padding 1, stride 1 or 2.
torch::Tensor depthwise(const torch::Tensor& images, const torch::Tensor& weight, std::int64_t stride);
bool takes_depthwise(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry);

/// 1×1 of stride 1 or 2 as one matrix product: up to five times as fast on few pixels, and so taken for those alone.
torch::Tensor pointwise(const torch::Tensor& images, const torch::Tensor& weight, std::int64_t stride);
bool takes_pointwise(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry);

/// Any, by LibTorch: for images in bfloat16.
torch::Tensor in_float32(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry);

}  // namespace relic::cpu_convolutions
