#include <torch/torch.h>

#include <optional>

#include "nn/convolutions/tensors.h"
#include "nn/convolutions/ways.h"

namespace relic::cpu_convolutions {

namespace {

/// Every stride-th pixel, down and across.
torch::Tensor every(std::int64_t stride, const torch::Tensor& images) {
  if (stride == 1) return images;
  return images.slice(2, 0, std::nullopt, stride).slice(3, 0, std::nullopt, stride);
}

/// Makes the pixels of images, channels last, the rows of a · b.
void write_pixels(const torch::Tensor& images, const torch::Tensor& a, const torch::Tensor& b) {
  write_product(pixels_of(images), a, b);
}

torch::Tensor convolution(const torch::Tensor& x, const torch::Tensor& weight, std::int64_t stride) {
  const torch::Tensor seen = every(stride, x);
  torch::Tensor y = empty_images(seen, weight.size(0), seen.size(2), seen.size(3));
  write_pixels(y, float_pixels_of(seen), weight.flatten(1).t());
  return y;
}

torch::Tensor images_gradient(const torch::Tensor& y_gradient, const torch::Tensor& weight, const torch::Tensor& x,
                              std::int64_t stride) {
  const torch::Tensor of_seen = empty_images(x, x.size(1), y_gradient.size(2), y_gradient.size(3));
  write_pixels(of_seen, float_pixels_of(y_gradient), weight.flatten(1));
  if (stride == 1) return of_seen;
  torch::Tensor gradient = empty_images(x, x.size(1), x.size(2), x.size(3)).zero_();
  every(stride, gradient).copy_(of_seen);
  return gradient;
}

torch::Tensor weight_gradient(const torch::Tensor& y_gradient, const torch::Tensor& weight, const torch::Tensor& x,
                              std::int64_t stride) {
  return at::mm(float_pixels_of(y_gradient).t(), float_pixels_of(every(stride, x))).view_as(weight);
}

class Pointwise : public torch::autograd::Function<Pointwise> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               std::int64_t stride) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    return convolution(x, weight, stride);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const DerivativeScope scope;
    const auto saved = context->get_saved_variables();
    const auto& x = saved[0];
    const auto& weight = saved[1];
    const std::int64_t stride = context->saved_data["stride"].toInt();
    variable_list result(3);
    if (context->needs_input_grad(0)) result[0] = images_gradient(gradients[0], weight, x, stride);
    if (context->needs_input_grad(1)) result[1] = weight_gradient(gradients[0], weight, x, stride);
    return result;
  }
};

}  // namespace

torch::Tensor pointwise(const torch::Tensor& images, const torch::Tensor& weight, std::int64_t stride) {
  TORCH_CHECK(weight.size(2) == 1 && weight.size(3) == 1 && weight.size(1) == images.size(1), "not a 1×1 convolution");
  return apply<Pointwise>(images, weight, stride);
}

bool takes_pointwise(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  if (!keeps_size_by_1x1(weight, geometry) || geometry.groups != 1 || images.numel() == 0) return false;
  // LibTorch was as fast with more pixels than that, and, of stride 2, with fewer channels.
  constexpr std::int64_t most_pixels = 4096;
  constexpr std::int64_t most_outputs_of_image = 16;
  constexpr std::int64_t enough_channels = 128;
  if (both(geometry.stride, 1)) return images.size(0) * images.size(2) * images.size(3) <= most_pixels;
  const std::int64_t outputs = ((images.size(2) + 1) / 2) * ((images.size(3) + 1) / 2);
  return both(geometry.stride, 2) && outputs <= most_outputs_of_image && images.size(1) >= enough_channels;
}

}  // namespace relic::cpu_convolutions
