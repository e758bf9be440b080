#include <torch/torch.h>

#include "nn/convolutions/tensors.h"
#include "nn/convolutions/ways.h"
#include "nn/winograd/conv3x3.h"

namespace relic::cpu_convolutions {

namespace {

/// Of images [N, in, H, W] and a weight that gives `out` channels.
winograd::ConvShape filter_shape(const torch::Tensor& images, std::int64_t out) {
  return {
      .images = images.size(0), .height = images.size(2), .width = images.size(3), .in = images.size(1), .out = out};
}

torch::Tensor convolve(const torch::Tensor& images, std::int64_t out, const winograd::Taps& taps) {
  const auto shape = filter_shape(images, out);
  torch::Tensor result = empty_images(images, out, shape.height, shape.width);
  with_value_of(images.scalar_type(), [&](auto of) {
    winograd::convolve(*winograd::fastest_kernels(shape), shape, values(images, of), taps, values_to_write(result, of));
  });
  return result;
}

// Weights of minimal filters lie in memory as [out, 3, 3, in].

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
  const auto shape = filter_shape(x, y_gradient.size(1));
  torch::Tensor gradient = torch::empty({shape.out, shape.in, 3, 3},
                                        x.options().dtype(torch::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  with_value_of(x.scalar_type(), [&](auto of) {
    winograd::taps_gradient(*winograd::fastest_kernels(shape), shape, values(x, of), values(y_gradient, of),
                            gradient.data_ptr<float>());
  });
  return gradient;
}

class MinimalFilter : public torch::autograd::Function<MinimalFilter> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight) {
    const torch::Tensor images = channels_last(x);
    context->save_for_backward({images, weight});
    return convolution(images, weight);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const DerivativeScope scope;
    const auto saved = context->get_saved_variables();
    const torch::Tensor y_gradient = channels_last(gradients[0]);
    variable_list result(2);
    if (context->needs_input_grad(0)) result[0] = images_gradient(y_gradient, saved[1]);
    if (context->needs_input_grad(1)) result[1] = weight_gradient(saved[0], y_gradient);
    return result;
  }
};

}  // namespace

torch::Tensor by_minimal_filter(const torch::Tensor& images, const torch::Tensor& weight) {
  TORCH_CHECK(weight.size(1) == images.size(1) && takes_minimal_filter(images, weight, {{1, 1}, {1, 1}, {1, 1}, 1}),
              "no minimal filter of these images by this weight");
  return apply<MinimalFilter>(images, weight);
}

bool takes_minimal_filter(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  return keeps_size_by_3x3(weight, geometry) && both(geometry.stride, 1) && geometry.groups == 1 &&
         images.numel() > 0 && winograd::fastest_kernels(filter_shape(images, weight.size(0))) != nullptr;
}

}  // namespace relic::cpu_convolutions
