#include <torch/torch.h>

#include <optional>

#include "nn/convolutions/tensors.h"
#include "nn/convolutions/ways.h"

namespace relic::cpu_convolutions {

namespace {

class InFloat32 : public torch::autograd::Function<InFloat32> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               const Geometry& geometry) {
    const auto& [stride, padding, dilation, groups] = geometry;
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["dilation"] = dilation;
    context->saved_data["groups"] = groups;
    return at::convolution(channels_last(x).to(torch::kFloat), weight, {}, stride, padding, dilation,
                           /*transposed=*/false,
                           /*output_padding=*/{0, 0}, groups)
        .to(x.scalar_type());
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const DerivativeScope scope;
    const auto saved = context->get_saved_variables();
    const bool of_images = context->needs_input_grad(0);
    const bool of_weight = context->needs_input_grad(1);
    const auto [by_images, by_weight, none] = at::convolution_backward(
        gradients[0].to(torch::kFloat), saved[0].to(torch::kFloat), saved[1], /*bias_sizes=*/std::nullopt,
        context->saved_data["stride"].toIntVector(), context->saved_data["padding"].toIntVector(),
        context->saved_data["dilation"].toIntVector(), /*transposed=*/false, /*output_padding=*/{0, 0},
        context->saved_data["groups"].toInt(), {of_images, of_weight, false});
    return {of_images ? by_images.to(saved[0].scalar_type()) : torch::Tensor{}, by_weight, {}};
  }
};

}  // namespace

torch::Tensor in_float32(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  return apply<InFloat32>(images, weight, geometry);
}

}  // namespace relic::cpu_convolutions
