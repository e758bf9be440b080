#include "nn/efficientnet.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <vector>

#include "nn/layers.h"
#include "relic/nn/layer_watch.h"

namespace relic {

namespace {

constexpr double kEfficientNetEpsilon = 1e-3;
constexpr double kLastDrop = 0.2;
constexpr std::int64_t kFeatureDim = 1280;

std::shared_ptr<ConvNorm> make_conv_norm(const ConvSpec& spec, Activation activation) {
  return std::make_shared<ConvNorm>(spec, kEfficientNetEpsilon, activation);
}

/// A gate in (0, 1) for each channel from the picture's mean (Hu et al. 2018, arXiv 1709.01507).
class SqueezeExcitation : public Layer {
 public:
  SqueezeExcitation(std::int64_t channels, std::int64_t squeezed)
      : reduce_(register_module("fc1", Convolution(torch::nn::Conv2dOptions(channels, squeezed, 1)))),
        expand_(register_module("fc2", Convolution(torch::nn::Conv2dOptions(squeezed, channels, 1)))) {}

  torch::Tensor forward(const torch::Tensor& x) override {
    const auto mean = torch::adaptive_avg_pool2d(x, {1, 1});
    return watched(*this, torch::sigmoid(expand_(torch::silu(reduce_(mean)))) * x);
  }

 private:
  Convolution reduce_;
  Convolution expand_;
};

struct BlockSpec {
  bool fused = false;
  std::int64_t expand = 1;
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t stride = 1;
  double drop = 0;
};

/// MBConv (expand 1×1, depthwise 3×3, squeeze and excitation, project 1×1) or Fused-MBConv (3×3, project 1×1; a single
/// 3×3 where nothing is expanded), with a shortcut where the shape stays.
class InvertedResidual : public Layer {
 public:
  explicit InvertedResidual(const BlockSpec& spec)
      : block_(register_module("block", std::make_shared<LayerChain>())),
        drop_(spec.drop),
        shortcut_(spec.stride == 1 && spec.in == spec.out) {
    const auto wide = spec.in * spec.expand;
    if (!spec.fused) {
      block_->append(make_conv_norm({.in = spec.in, .out = wide}, Activation::silu));
      block_->append(make_conv_norm({.in = wide, .out = wide, .kernel = 3, .stride = spec.stride, .groups = wide},
                                    Activation::silu));
      block_->append(std::make_shared<SqueezeExcitation>(wide, std::max<std::int64_t>(1, spec.in / 4)));
      block_->append(make_conv_norm({.in = wide, .out = spec.out}, Activation::none));
    } else if (spec.expand > 1) {
      block_->append(
          make_conv_norm({.in = spec.in, .out = wide, .kernel = 3, .stride = spec.stride}, Activation::silu));
      block_->append(make_conv_norm({.in = wide, .out = spec.out}, Activation::none));
    } else {
      block_->append(
          make_conv_norm({.in = spec.in, .out = spec.out, .kernel = 3, .stride = spec.stride}, Activation::silu));
    }
  }

  torch::Tensor forward(const torch::Tensor& x) override {
    auto y = block_->forward(x);
    if (!shortcut_) {
      return y;
    }
    if (is_training() && drop_ > 0) {
      y = stochastic_depth(y, drop_);
    }
    return y + x;
  }

 private:
  std::shared_ptr<LayerChain> block_;
  double drop_;
  bool shortcut_;
};

struct StageSpec {
  bool fused;
  std::int64_t expand;
  std::int64_t stride;
  std::int64_t in;
  std::int64_t out;
  std::int64_t depth;
};

constexpr std::array<StageSpec, 6> kStages{{
    {.fused = true, .expand = 1, .stride = 1, .in = 24, .out = 24, .depth = 2},
    {.fused = true, .expand = 4, .stride = 2, .in = 24, .out = 48, .depth = 4},
    {.fused = true, .expand = 4, .stride = 2, .in = 48, .out = 64, .depth = 4},
    {.fused = false, .expand = 4, .stride = 2, .in = 64, .out = 128, .depth = 6},
    {.fused = false, .expand = 6, .stride = 1, .in = 128, .out = 160, .depth = 9},
    {.fused = false, .expand = 6, .stride = 2, .in = 160, .out = 256, .depth = 15},
}};

class EfficientNet : public Encoder {
 public:
  EfficientNet() : features_(register_module("0", std::make_shared<LayerChain>())) {
    features_->append(make_conv_norm({.in = 3, .out = kStages.front().in, .kernel = 3, .stride = 2}, Activation::silu));
    std::int64_t blocks = 0;
    for (const auto& stage : kStages) {
      blocks += stage.depth;
    }
    std::int64_t index = 0;
    for (const auto& stage : kStages) {
      const auto chain = std::make_shared<LayerChain>();
      for (std::int64_t i = 0; i < stage.depth; ++i, ++index) {
        chain->append(std::make_shared<InvertedResidual>(
            BlockSpec{.fused = stage.fused,
                      .expand = stage.expand,
                      .in = i == 0 ? stage.in : stage.out,
                      .out = stage.out,
                      .stride = i == 0 ? stage.stride : 1,
                      .drop = kLastDrop * static_cast<double>(index) / static_cast<double>(blocks)}));
      }
      features_->append(chain);
    }
    features_->append(make_conv_norm({.in = kStages.back().out, .out = kFeatureDim}, Activation::silu));
    initialise_convolutions(*this);
  }

  torch::Tensor forward(const torch::Tensor& images) override { return global_average(features_->forward(images)); }

  [[nodiscard]] std::int64_t feature_dim() const override { return kFeatureDim; }

 private:
  std::shared_ptr<LayerChain> features_;
};

}  // namespace

std::shared_ptr<Encoder> make_efficientnet() { return std::make_shared<EfficientNet>(); }

torch::Tensor stochastic_depth(const torch::Tensor& x, double drop) {
  const double survival = 1 - drop;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[0] = x.size(0);
  return x * torch::empty(shape, x.options()).bernoulli_(survival).div_(survival);
}

}  // namespace relic
