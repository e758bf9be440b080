#include <torch/torch.h>

#include "nn/convolutions/tensors.h"
#include "nn/convolutions/ways.h"

namespace relic::cpu_convolutions {

namespace {

/// New images, as large as `like` is, whose pixels are the rows of a · b.
torch::Tensor product(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& like) {
  torch::Tensor images = empty_images(like, b.size(1), like.size(2), like.size(3));
  write_product(pixels_of(images), a, b);
  return images;
}

class Pointwise : public torch::autograd::Function<Pointwise> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight) {
    context->save_for_backward({x, weight});
    return product(float_pixels_of(x), weight.flatten(1).t(), x);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const DerivativeScope scope;
    const auto saved = context->get_saved_variables();
    const torch::Tensor y_gradient = float_pixels_of(gradients[0]);
    variable_list result(2);
    if (context->needs_input_grad(0)) result[0] = product(y_gradient, saved[1].flatten(1), saved[0]);
    if (context->needs_input_grad(1)) {
      result[1] = at::mm(y_gradient.t(), float_pixels_of(saved[0])).view_as(saved[1]);
    }
    return result;
  }
};

}  // namespace

torch::Tensor pointwise(const torch::Tensor& images, const torch::Tensor& weight) {
  TORCH_CHECK(weight.size(2) == 1 && weight.size(3) == 1 && weight.size(1) == images.size(1), "not a 1×1 convolution");
  return apply<Pointwise>(images, weight);
}

bool takes_pointwise(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  // LibTorch is as fast with more pixels than that.
  constexpr std::int64_t most_pixels = 4096;
  return keeps_size_by_1x1(weight, geometry) && both(geometry.stride, 1) && geometry.groups == 1 &&
         images.numel() > 0 && images.size(0) * images.size(2) * images.size(3) <= most_pixels;
}

}  // namespace relic::cpu_convolutions
