#include "nn/convolution.h"

#include <ATen/autocast_mode.h>
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

torch::Tensor convolve(const torch::Tensor& images, std::int64_t out, const winograd::Taps& taps) {
  const auto shape = shape_of(images, out);
  torch::Tensor result = torch::empty({shape.images, out, shape.height, shape.width},
                                      images.options().memory_format(at::MemoryFormat::ChannelsLast));
  winograd::convolve(*winograd::fastest_kernels(shape), shape, images.const_data_ptr<float>(), taps,
                     result.data_ptr<float>());
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
  torch::Tensor gradient =
      torch::empty({shape.out, shape.in, 3, 3}, x.options().memory_format(at::MemoryFormat::ChannelsLast));
  winograd::taps_gradient(*winograd::fastest_kernels(shape), shape, x.const_data_ptr<float>(),
                          y_gradient.const_data_ptr<float>(), gradient.data_ptr<float>());
  return gradient;
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

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

}  // namespace

bool ConvolutionImpl::has_minimal_filter(const torch::Tensor& images) const {
  const auto all = [](const torch::ExpandingArray<2>& values, std::int64_t value) {
    return values->at(0) == value && values->at(1) == value;
  };
  const auto* const padding = std::get_if<torch::ExpandingArray<2>>(&options.padding());
  const bool fits = all(options.kernel_size(), 3) && all(options.stride(), 1) && all(options.dilation(), 1) &&
                    padding != nullptr && all(*padding, 1) && options.groups() == 1 && !bias.defined() &&
                    std::holds_alternative<torch::enumtype::kZeros>(options.padding_mode());
  const bool on_cpu = images.is_cpu() && weight.is_cpu() && images.scalar_type() == torch::kFloat &&
                      weight.scalar_type() == torch::kFloat && !at::autocast::is_autocast_enabled(at::kCPU);
  return fits && on_cpu && images.dim() == 4 && images.numel() > 0 && images.size(1) == weight.size(1) &&
         winograd::fastest_kernels(shape_of(images, weight.size(0))) != nullptr;
}

torch::Tensor ConvolutionImpl::forward(const torch::Tensor& images) {
  return watched(*this, has_minimal_filter(images) ? MinimalFilterConvolution::apply(images, weight)
                                                   : Conv2dImpl::forward(images));
}

}  // namespace relic
