#include <torch/torch.h>

#include "nn/convolutions/tensors.h"
#include "nn/convolutions/ways.h"
#include "nn/cpu/depthwise.h"

namespace relic::cpu_convolutions {

namespace {

cpu_depthwise::Shape depthwise_shape(const torch::Tensor& images, std::int64_t stride) {
  return {.images = images.size(0),
          .height = images.size(2),
          .width = images.size(3),
          .channels = images.size(1),
          .stride = stride};
}

class Depthwise : public torch::autograd::Function<Depthwise> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               std::int64_t stride) {
    const torch::Tensor images = channels_last(x);
    const torch::Tensor taps = weight.contiguous();
    context->save_for_backward({images, taps});
    context->saved_data["stride"] = stride;
    const auto shape = depthwise_shape(images, stride);
    torch::Tensor y = empty_images(images, shape.channels, shape.out_height(), shape.out_width());
    with_value_of(x.scalar_type(), [&](auto of) {
      cpu_depthwise::convolve(shape, values(images, of), taps.const_data_ptr<float>(), values_to_write(y, of));
    });
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const DerivativeScope scope;
    const auto saved = context->get_saved_variables();
    const torch::Tensor& images = saved[0];
    const torch::Tensor& taps = saved[1];
    const torch::Tensor y_gradient = channels_last(gradients[0]);
    const auto shape = depthwise_shape(images, context->saved_data["stride"].toInt());
    variable_list result(3);
    with_value_of(images.scalar_type(), [&](auto of) {
      if (context->needs_input_grad(0)) {
        result[0] = torch::empty_like(images);
        cpu_depthwise::images_gradient(shape, values(y_gradient, of), taps.const_data_ptr<float>(),
                                       values_to_write(result[0], of));
      }
      if (context->needs_input_grad(1)) {
        result[1] = torch::empty_like(taps);
        cpu_depthwise::taps_gradient(shape, values(images, of), values(y_gradient, of), result[1].data_ptr<float>());
      }
    });
    return result;
  }
};

}  // namespace

torch::Tensor depthwise(const torch::Tensor& images, const torch::Tensor& weight, std::int64_t stride) {
  TORCH_CHECK(takes_depthwise(images, weight, {{stride, stride}, {1, 1}, {1, 1}, weight.size(0)}),
              "no depthwise convolution of these images by this weight");
  return apply<Depthwise>(images, weight, stride);
}

bool takes_depthwise(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  return keeps_size_by_3x3(weight, geometry) && (both(geometry.stride, 1) || both(geometry.stride, 2)) &&
         geometry.groups == images.size(1) && weight.size(0) == images.size(1) && images.numel() > 0 &&
         cpu_depthwise::fits(depthwise_shape(images, geometry.stride[0]));
}

}  // namespace relic::cpu_convolutions
