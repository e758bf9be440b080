#include "nn/convolution.h"

#include <ATen/autocast_mode.h>
#include <ATen/cpu/Utils.h>
#include <torch/torch.h>

#include <variant>

#include "nn/convolutions/ways.h"
#include "nn/cpu/targets.h"
#include "nn/winograd/conv3x3.h"
#include "relic/nn/layer_watch.h"

namespace relic {

namespace {

/// What autocast makes of these images.
torch::ScalarType type_within(const torch::Tensor& images) {
  const auto type = images.scalar_type();
  const bool is_cast =
      at::autocast::is_autocast_enabled(at::kCPU) && (type == torch::kFloat || type == torch::kBFloat16);
  return is_cast ? at::autocast::get_autocast_dtype(at::kCPU) : type;
}

/// By a way of ours; an undefined tensor where there is none that is better than LibTorch's.
torch::Tensor convolve(const torch::Tensor& images, const torch::Tensor& weight,
                       const cpu_convolutions::Geometry& geometry) {
  if (cpu_convolutions::takes_minimal_filter(images, weight, geometry)) {
    return cpu_convolutions::by_minimal_filter(images, weight, geometry.stride[0]);
  }
  if (cpu_convolutions::takes_depthwise(images, weight, geometry)) {
    return cpu_convolutions::depthwise(images, weight, geometry.stride[0]);
  }
  if (cpu_convolutions::takes_pointwise(images, weight, geometry)) {
    return cpu_convolutions::pointwise(images, weight, geometry.stride[0]);
  }
  if (images.scalar_type() == torch::kBFloat16) {
    return cpu_convolutions::in_float32(images, weight, geometry);
  }
  return {};
}

}  // namespace

bool computes_bfloat16_in_float32() {
  static const bool fast = at::cpu::init_amx() || has_fast_bfloat16_vectors();
  return !fast && !winograd::kernels().empty();
}

torch::Tensor ConvolutionImpl::forward(const torch::Tensor& images) { return watched(*this, compute(images)); }

torch::Tensor ConvolutionImpl::compute(const torch::Tensor& images) {
  const auto* const padding = std::get_if<torch::ExpandingArray<2>>(&options.padding());
  const bool plain = images.dim() == 4 && images.size(1) == weight.size(1) * options.groups() && padding != nullptr &&
                     std::holds_alternative<torch::enumtype::kZeros>(options.padding_mode());
  const bool on_cpu = images.is_cpu() && weight.is_cpu() && weight.scalar_type() == torch::kFloat;
  if (!plain || !on_cpu) {
    return Conv2dImpl::forward(images);
  }
  const bool autocast = at::autocast::is_autocast_enabled(at::kCPU);
  const auto type = type_within(images);
  if (type == torch::kFloat || (type == torch::kBFloat16 && autocast && computes_bfloat16_in_float32())) {
    const auto y =
        convolve(images.to(type), weight, {*options.stride(), **padding, *options.dilation(), options.groups()});
    if (y.defined()) {
      return bias.defined() ? y + bias.to(type).view({1, -1, 1, 1}) : y;
    }
  }
  return Conv2dImpl::forward(images);
}

}  // namespace relic
