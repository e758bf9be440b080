#include "nn/convolution.h"

#include <ATen/autocast_mode.h>
#include <ATen/cpu/Utils.h>
#include <torch/torch.h>

#include "nn/cpu_convolutions.h"
#include "nn/winograd/conv3x3.h"
#include "relic/nn/layer_watch.h"

namespace relic {

namespace {

/// What goes in and out of a convolution of these images.
torch::ScalarType stored_as(const torch::Tensor& images) {
  const auto type = images.scalar_type();
  const bool is_cast =
      at::autocast::is_autocast_enabled(at::kCPU) && (type == torch::kFloat || type == torch::kBFloat16);
  return is_cast ? at::autocast::get_autocast_dtype(at::kCPU) : type;
}

}  // namespace

bool computes_bfloat16_in_float32() {
  static const bool has_matrix_unit = at::cpu::init_amx();
  return !has_matrix_unit && !winograd::kernels().empty();
}

torch::Tensor ConvolutionImpl::forward(const torch::Tensor& images) { return watched(*this, compute(images)); }

torch::Tensor ConvolutionImpl::compute(const torch::Tensor& images) {
  const auto* const padding = std::get_if<torch::ExpandingArray<2>>(&options.padding());
  const bool plain = images.dim() == 4 && images.size(1) == weight.size(1) * options.groups() && padding != nullptr &&
                     !bias.defined() && std::holds_alternative<torch::enumtype::kZeros>(options.padding_mode());
  const auto stored = stored_as(images);
  const bool in_float32 = stored == torch::kFloat || (stored == torch::kBFloat16 && computes_bfloat16_in_float32());
  if (!plain || !in_float32 || !images.is_cpu() || !weight.is_cpu() || weight.scalar_type() != torch::kFloat) {
    return Conv2dImpl::forward(images);
  }
  const cpu_convolutions::Geometry geometry{*options.stride(), **padding, *options.dilation(), options.groups()};
  if (cpu_convolutions::has_minimal_filter(images, weight, geometry)) {
    return cpu_convolutions::by_minimal_filter(images.to(stored), weight);
  }
  if (cpu_convolutions::is_depthwise(images, weight, geometry)) {
    return cpu_convolutions::depthwise(images.to(stored), weight, geometry.stride[0]);
  }
  if (cpu_convolutions::is_pointwise(images, weight, geometry)) {
    return cpu_convolutions::pointwise(images.to(stored), weight);
  }
  if (stored == torch::kFloat) {
    return Conv2dImpl::forward(images);
  }
  return cpu_convolutions::in_float32(images.to(stored), weight, geometry);
}

}  // namespace relic
