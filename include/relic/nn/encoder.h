// Image encoders: torchvision's networks without their last layer.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace relic {

/// imagenet: torchvision's 7×7 stride 2 and max pool. cifar: conv1 3×3 stride 1, no max pool (ResNets only).
enum class Stem { imagenet, cifar };

/// [N, 3, S, S] to features [N, feature_dim]. Children are named "0", "1", … as in the original's Sequential, so state
/// dicts carry its names.
class Encoder : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& images) = 0;
  [[nodiscard]] virtual std::int64_t feature_dim() const = 0;
};

/// "resnet18", "resnet50", "efficientnet" (torchvision's efficientnet_v2_s).
std::span<const std::string> encoder_names();

/// A freshly initialised encoder, as torchvision initialises it, from torch's default random generator, its
/// convolutions' weights in channels_last. Throws UsageError for an unknown name. `stem` is ignored by EfficientNet.
std::shared_ptr<Encoder> make_encoder(const std::string& name, Stem stem);

}  // namespace relic
