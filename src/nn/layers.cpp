#include "nn/layers.h"

#include <torch/torch.h>

#include "nn/norm_act.h"

namespace relic {

void LayerChain::append(const std::shared_ptr<Layer>& layer) {
  layers_.push_back(register_module(std::to_string(layers_.size()), layer));
}

torch::Tensor LayerChain::forward(const torch::Tensor& x) {
  torch::Tensor y = x;
  for (const auto& layer : layers_) {
    y = layer->forward(y);
  }
  return y;
}

Convolution make_conv(const ConvSpec& spec) {
  return Convolution(torch::nn::Conv2dOptions(spec.in, spec.out, spec.kernel)
                         .stride(spec.stride)
                         .padding((spec.kernel - 1) / 2)
                         .groups(spec.groups)
                         .bias(false));
}

ConvNorm::ConvNorm(const ConvSpec& spec, double norm_epsilon, Activation activation)
    : conv_(register_module("0", make_conv(spec))),
      norm_(register_module("1", torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(spec.out).eps(norm_epsilon)))),
      activation_(activation) {}

torch::Tensor ConvNorm::forward(const torch::Tensor& x) {
  const auto y = norm_act(norm_, conv_(x), After::nothing);
  return activation_ == Activation::silu ? torch::silu(y) : y;
}

void initialise_convolutions(torch::nn::Module& root) {
  const torch::NoGradGuard no_grad;
  for (const auto& module : root.modules(/*include_self=*/false)) {
    if (auto* conv = module->as<torch::nn::Conv2dImpl>()) {
      torch::nn::init::kaiming_normal_(conv->weight, /*a=*/0, torch::kFanOut, torch::kReLU);
      if (conv->bias.defined()) {
        conv->bias.zero_();
      }
    }
  }
}

torch::Tensor global_average(const torch::Tensor& x) { return torch::adaptive_avg_pool2d(x, {1, 1}).flatten(1); }

}  // namespace relic
