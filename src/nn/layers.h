// What the encoders are made of: convolutions with normalisation, layers in a row, torchvision's initialisation.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "nn/convolution.h"

namespace relic {

/// A module from one [N, C, H, W] tensor to another.
class Layer : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& x) = 0;
};

/// Layers in a row, named "0", "1", …
class LayerChain : public Layer {
 public:
  void append(const std::shared_ptr<Layer>& layer);
  torch::Tensor forward(const torch::Tensor& x) override;

 private:
  std::vector<std::shared_ptr<Layer>> layers_;
};

struct ConvSpec {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t groups = 1;
};

/// A convolution without bias that keeps the side (divided by the stride): padding (kernel − 1)/2.
Convolution make_conv(const ConvSpec& spec);

enum class Activation { none, silu };

/// Convolution "0", BatchNorm "1", activation.
class ConvNorm : public Layer {
 public:
  ConvNorm(const ConvSpec& spec, double norm_epsilon, Activation activation);
  torch::Tensor forward(const torch::Tensor& x) override;

 private:
  Convolution conv_;
  torch::nn::BatchNorm2d norm_;
  Activation activation_;
};

/// Every convolution below `root`: weights normal with variance 2 / (out channels · kernel area) (He et al. 2015, arXiv
/// 1502.01852, fan-out form), biases 0. BatchNorm starts as torch makes it: weight 1, bias 0.
void initialise_convolutions(torch::nn::Module& root);

/// Mean over the picture: [N, C, H, W] to [N, C].
torch::Tensor global_average(const torch::Tensor& x);

}  // namespace relic
