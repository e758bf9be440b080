#include "nn/convolution.h"

#include <ATen/autocast_mode.h>
#include <ATen/cpu/Utils.h>
#include <torch/torch.h>

#include "nn/winograd/conv3x3.h"
#include "relic/nn/layer_watch.h"

namespace relic {

namespace {

torch::Tensor channels_last(const torch::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

/// Of images [N, in, H, W] and a weight that gives `out` channels.
winograd::ConvShape shape_of(const torch::Tensor& images, std::int64_t out) {
  return {
      .images = images.size(0), .height = images.size(2), .width = images.size(3), .in = images.size(1), .out = out};
}

const winograd::Bfloat16* bits(const torch::Tensor& x) {
  return static_cast<const winograd::Bfloat16*>(x.const_data_ptr());
}

torch::Tensor convolve(const torch::Tensor& images, std::int64_t out, const winograd::Taps& taps) {
  const auto shape = shape_of(images, out);
  const auto& kernels = *winograd::fastest_kernels(shape);
  torch::Tensor result = torch::empty({shape.images, out, shape.height, shape.width},
                                      images.options().memory_format(at::MemoryFormat::ChannelsLast));
  if (images.scalar_type() == torch::kFloat) {
    winograd::convolve(kernels, shape, images.const_data_ptr<float>(), taps, result.data_ptr<float>());
  } else {
    winograd::convolve(kernels, shape, bits(images), taps, static_cast<winograd::Bfloat16*>(result.data_ptr()));
  }
  return result;
}

// Weights lie in memory as [out, 3, 3, in].

torch::Tensor convolution(const torch::Tensor& x, const torch::Tensor& weight) {
  const std::int64_t in = weight.size(1);
  const torch::Tensor taps = channels_last(weight);
  return convolve(x, weight.size(0),
                  {.first = taps.const_data_ptr<float>(), .row = 3 * in, .column = in, .channel = 1, .output = 9 * in});
}

/// The convolution of the outputs' gradient with the taps turned by half a circle, from `out` channels to `in`.
torch::Tensor images_gradient(const torch::Tensor& y_gradient, const torch::Tensor& weight) {
  const std::int64_t in = weight.size(1);
  const torch::Tensor taps = channels_last(weight);
  return convolve(
      y_gradient, in,
      {.first = taps.const_data_ptr<float>() + 8 * in, .row = -3 * in, .column = -in, .channel = 9 * in, .output = 1});
}

torch::Tensor weight_gradient(const torch::Tensor& x, const torch::Tensor& y_gradient) {
  const auto shape = shape_of(x, y_gradient.size(1));
  const auto& kernels = *winograd::fastest_kernels(shape);
  torch::Tensor gradient = torch::empty({shape.out, shape.in, 3, 3},
                                        x.options().dtype(torch::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  auto* const taps = gradient.data_ptr<float>();
  if (x.scalar_type() == torch::kFloat) {
    winograd::taps_gradient(kernels, shape, x.const_data_ptr<float>(), y_gradient.const_data_ptr<float>(), taps);
  } else {
    winograd::taps_gradient(kernels, shape, bits(x), bits(y_gradient), taps);
  }
  return gradient;
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Of images in float32 or bfloat16 and a weight in float32; the result is as the images are.
class MinimalFilterConvolution : public torch::autograd::Function<MinimalFilterConvolution> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight) {
    const torch::Tensor images = channels_last(x);
    context->save_for_backward({images, weight});
    return convolution(images, weight);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    TORCH_CHECK(!torch::GradMode::is_enabled(), "this convolution has no second derivative");
    const auto saved = context->get_saved_variables();
    const torch::Tensor y_gradient = channels_last(gradients[0]);
    variable_list result(2);
    if (context->needs_input_grad(0)) result[0] = images_gradient(y_gradient, saved[1]);
    if (context->needs_input_grad(1)) result[1] = weight_gradient(saved[0], y_gradient);
    return result;
  }
};

struct Geometry {
  at::IntArrayRef stride;
  at::IntArrayRef padding;
  at::IntArrayRef dilation;
  std::int64_t groups;
};

/// From images of any kind to bfloat16, by LibTorch in float32.
class Float32Convolution : public torch::autograd::Function<Float32Convolution> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               const Geometry& geometry) {
    const auto& [stride, padding, dilation, groups] = geometry;
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["dilation"] = dilation;
    context->saved_data["groups"] = groups;
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
    return at::convolution(x.to(torch::kFloat), weight, {}, stride, padding, dilation, /*transposed=*/false,
                           /*output_padding=*/{0, 0}, groups)
        .to(torch::kBFloat16);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    TORCH_CHECK(!torch::GradMode::is_enabled(), "this convolution has no second derivative");
    const auto saved = context->get_saved_variables();
    const bool of_images = context->needs_input_grad(0);
    const bool of_weight = context->needs_input_grad(1);
    const auto [x_gradient, weight_gradient, none] = at::convolution_backward(
        gradients[0].to(torch::kFloat), saved[0].to(torch::kFloat), saved[1], /*bias_sizes=*/std::nullopt,
        context->saved_data["stride"].toIntVector(), context->saved_data["padding"].toIntVector(),
        context->saved_data["dilation"].toIntVector(), /*transposed=*/false, /*output_padding=*/{0, 0},
        context->saved_data["groups"].toInt(), {of_images, of_weight, false});
    return {of_images ? x_gradient.to(saved[0].scalar_type()) : torch::Tensor{}, weight_gradient, {}};
  }
};

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
  if (has_minimal_filter(images, *padding)) {
    return MinimalFilterConvolution::apply(images.to(stored), weight);
  }
  if (stored == torch::kFloat) {
    return Conv2dImpl::forward(images);
  }
  return Float32Convolution::apply(images, weight,
                                   Geometry{*options.stride(), **padding, *options.dilation(), options.groups()});
}

bool ConvolutionImpl::has_minimal_filter(const torch::Tensor& images, const torch::ExpandingArray<2>& padding) const {
  const auto all = [](const torch::ExpandingArray<2>& values, std::int64_t value) {
    return values->at(0) == value && values->at(1) == value;
  };
  return all(options.kernel_size(), 3) && all(options.stride(), 1) && all(options.dilation(), 1) && all(padding, 1) &&
         options.groups() == 1 && images.numel() > 0 &&
         winograd::fastest_kernels(shape_of(images, weight.size(0))) != nullptr;
}

}  // namespace relic
