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

/// New images, as large as `like` is, whose pixels are the rows of a · b.
torch::Tensor images_of_product(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& like) {
  torch::Tensor images = empty_images(like, b.size(1), like.size(2), like.size(3));
  write_product(pixels_of(images), a, b);
  return images;
}

/// Images as large as `like` is, of these as every stride-th pixel and zeros elsewhere.
torch::Tensor spread(const torch::Tensor& images, const torch::Tensor& like, std::int64_t stride) {
  if (stride == 1) return images;
  torch::Tensor result = empty_images(like, images.size(1), like.size(2), like.size(3)).zero_();
  every(stride, result).copy_(images);
  return result;
}

class Pointwise : public torch::autograd::Function<Pointwise> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               std::int64_t stride) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    const torch::Tensor seen = every(stride, x);
    return images_of_product(float_pixels_of(seen), weight.flatten(1).t(), seen);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const DerivativeScope scope;
    const auto saved = context->get_saved_variables();
    const auto& x = saved[0];
    const auto& weight = saved[1];
    const std::int64_t stride = context->saved_data["stride"].toInt();
    const torch::Tensor seen = every(stride, x);
    const torch::Tensor y_gradient = float_pixels_of(gradients[0]);
    variable_list result(3);
    if (context->needs_input_grad(0)) {
      result[0] = spread(images_of_product(y_gradient, weight.flatten(1), seen), x, stride);
    }
    if (context->needs_input_grad(1)) {
      result[1] = at::mm(y_gradient.t(), float_pixels_of(seen)).view_as(weight);
    }
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
  // LibTorch was as fast with more pixels in all; of stride 2 with more outputs an image, or fewer channels.
  constexpr std::int64_t most_pixels = 4096;
  constexpr std::int64_t most_outputs_of_image = 16;
  constexpr std::int64_t enough_channels = 128;
  if (both(geometry.stride, 1)) return images.size(0) * images.size(2) * images.size(3) <= most_pixels;
  const std::int64_t outputs = ((images.size(2) + 1) / 2) * ((images.size(3) + 1) / 2);
  return both(geometry.stride, 2) && outputs <= most_outputs_of_image && images.size(1) >= enough_channels;
}

}  // namespace relic::cpu_convolutions
