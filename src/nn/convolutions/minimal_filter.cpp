#include <torch/torch.h>

#include "nn/convolutions/tensors.h"
#include "nn/convolutions/ways.h"
#include "nn/winograd/conv3x3.h"

namespace relic::cpu_convolutions {

namespace {

winograd::ConvShape shape_of(const torch::Tensor& images, std::int64_t out, std::int64_t stride) {
  return {.stride = stride == 1 ? winograd::Stride::one : winograd::Stride::two,
          .images = images.size(0),
          .height = images.size(2),
          .width = images.size(3),
          .out_height = (images.size(2) - 1) / stride + 1,
          .out_width = (images.size(3) - 1) / stride + 1,
          .in = images.size(1),
          .out = out};
}

/// That from the outputs' gradient to the images'.
winograd::ConvShape transpose_of(const winograd::ConvShape& shape) {
  return {.stride = shape.stride == winograd::Stride::one ? winograd::Stride::one : winograd::Stride::half,
          .images = shape.images,
          .height = shape.out_height,
          .width = shape.out_width,
          .out_height = shape.height,
          .out_width = shape.width,
          .in = shape.out,
          .out = shape.in};
}

torch::Tensor convolve(const winograd::ConvShape& shape, const torch::Tensor& images, const winograd::Taps& taps) {
  torch::Tensor result = empty_images(images, shape.out, shape.out_height, shape.out_width);
  with_value_of(images.scalar_type(), [&](auto of) {
    winograd::convolve(*winograd::fastest_kernels(shape), shape, values(images, of), taps, values_to_write(result, of));
  });
  return result;
}

// Weights of minimal filters lie in memory as [out, 3, 3, in].

torch::Tensor convolution(const winograd::ConvShape& shape, const torch::Tensor& x, const torch::Tensor& weight) {
  const torch::Tensor taps = channels_last(weight);
  return convolve(shape, x,
                  {.first = taps.const_data_ptr<float>(),
                   .row = 3 * shape.in,
                   .column = shape.in,
                   .channel = 1,
                   .output = 9 * shape.in});
}

torch::Tensor images_gradient(const winograd::ConvShape& shape, const torch::Tensor& y_gradient,
                              const torch::Tensor& weight) {
  const torch::Tensor taps = channels_last(weight);
  const float* const first = taps.const_data_ptr<float>();
  // That of stride 1 is a convolution, too, with the taps turned by half a circle.
  const bool turned = shape.stride == winograd::Stride::one;
  const std::int64_t column = turned ? -shape.in : shape.in;
  return convolve(transpose_of(shape), y_gradient,
                  {.first = turned ? first + 8 * shape.in : first,
                   .row = 3 * column,
                   .column = column,
                   .channel = 9 * shape.in,
                   .output = 1});
}

torch::Tensor weight_gradient(const winograd::ConvShape& shape, const torch::Tensor& x,
                              const torch::Tensor& y_gradient) {
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
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               std::int64_t stride) {
    const torch::Tensor images = channels_last(x);
    context->save_for_backward({images, weight});
    context->saved_data["stride"] = stride;
    return convolution(shape_of(images, weight.size(0), stride), images, weight);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const DerivativeScope scope;
    const auto saved = context->get_saved_variables();
    const auto shape = shape_of(saved[0], saved[1].size(0), context->saved_data["stride"].toInt());
    const torch::Tensor y_gradient = channels_last(gradients[0]);
    variable_list result(3);
    if (context->needs_input_grad(0)) result[0] = images_gradient(shape, y_gradient, saved[1]);
    if (context->needs_input_grad(1)) result[1] = weight_gradient(shape, saved[0], y_gradient);
    return result;
  }
};

}  // namespace

torch::Tensor by_minimal_filter(const torch::Tensor& images, const torch::Tensor& weight, std::int64_t stride) {
  TORCH_CHECK(
      weight.size(1) == images.size(1) && takes_minimal_filter(images, weight, {{stride, stride}, {1, 1}, {1, 1}, 1}),
      "no minimal filter of these images by this weight");
  return apply<MinimalFilter>(images, weight, stride);
}

bool takes_minimal_filter(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  if (!keeps_size_by_3x3(weight, geometry) || geometry.groups != 1 || images.numel() == 0 ||
      (!both(geometry.stride, 1) && !both(geometry.stride, 2))) {
    return false;
  }
  const auto shape = shape_of(images, weight.size(0), geometry.stride[0]);
  // A single output sees a part of the taps alone, which LibTorch makes use of.
  const bool many_outputs = shape.out_height > 1 && shape.out_width > 1;
  return (many_outputs || shape.stride == winograd::Stride::one) && winograd::fastest_kernels(shape) != nullptr;
}

}  // namespace relic::cpu_convolutions
