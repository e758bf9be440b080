#include "nn/resnet.h"

#include <torch/torch.h>

#include <array>

#include "nn/layers.h"
#include "nn/max_pool.h"
#include "nn/norm_act.h"

namespace relic {

namespace {

constexpr double kResNetEpsilon = 1e-5;

torch::nn::BatchNorm2d make_norm(std::int64_t channels) {
  return torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(channels).eps(kResNetEpsilon));
}

/// The shortcut's projection, where a block changes the shape; nullptr where it does not.
std::shared_ptr<ConvNorm> make_downsample(std::int64_t in, std::int64_t out, std::int64_t stride) {
  if (in == out && stride == 1) {
    return nullptr;
  }
  return std::make_shared<ConvNorm>(ConvSpec{.in = in, .out = out, .stride = stride}, kResNetEpsilon, Activation::none);
}

class BasicBlock : public Layer {
 public:
  static constexpr std::int64_t expansion = 1;

  BasicBlock(std::int64_t in, std::int64_t width, std::int64_t stride)
      : conv1_(register_module("conv1", make_conv({.in = in, .out = width, .kernel = 3, .stride = stride}))),
        norm1_(register_module("bn1", make_norm(width))),
        conv2_(register_module("conv2", make_conv({.in = width, .out = width, .kernel = 3}))),
        norm2_(register_module("bn2", make_norm(width))),
        downsample_(make_downsample(in, width, stride)) {
    if (downsample_) {
      register_module("downsample", downsample_);
    }
  }

  torch::Tensor forward(const torch::Tensor& x) override {
    const auto y = norm_act(norm1_, conv1_(x), After::relu);
    return norm_act(norm2_, conv2_(y), After::relu, downsample_ ? downsample_->forward(x) : x);
  }

 private:
  Convolution conv1_;
  torch::nn::BatchNorm2d norm1_;
  Convolution conv2_;
  torch::nn::BatchNorm2d norm2_;
  std::shared_ptr<ConvNorm> downsample_;
};

class Bottleneck : public Layer {
 public:
  static constexpr std::int64_t expansion = 4;

  Bottleneck(std::int64_t in, std::int64_t width, std::int64_t stride)
      : conv1_(register_module("conv1", make_conv({.in = in, .out = width}))),
        norm1_(register_module("bn1", make_norm(width))),
        conv2_(register_module("conv2", make_conv({.in = width, .out = width, .kernel = 3, .stride = stride}))),
        norm2_(register_module("bn2", make_norm(width))),
        conv3_(register_module("conv3", make_conv({.in = width, .out = width * expansion}))),
        norm3_(register_module("bn3", make_norm(width * expansion))),
        downsample_(make_downsample(in, width * expansion, stride)) {
    if (downsample_) {
      register_module("downsample", downsample_);
    }
  }

  torch::Tensor forward(const torch::Tensor& x) override {
    auto y = norm_act(norm1_, conv1_(x), After::relu);
    y = norm_act(norm2_, conv2_(y), After::relu);
    return norm_act(norm3_, conv3_(y), After::relu, downsample_ ? downsample_->forward(x) : x);
  }

 private:
  Convolution conv1_;
  torch::nn::BatchNorm2d norm1_;
  Convolution conv2_;
  torch::nn::BatchNorm2d norm2_;
  Convolution conv3_;
  torch::nn::BatchNorm2d norm3_;
  std::shared_ptr<ConvNorm> downsample_;
};

template <typename Block>
class ResNet : public Encoder {
 public:
  ResNet(const std::array<std::int64_t, 4>& depths, Stem stem) : stem_(stem) {
    // torchvision's children are conv1, bn1, relu, maxpool, layer1 to layer4: "2" and "3" hold no tensors.
    conv_ = register_module("0", stem == Stem::cifar ? make_conv({.in = 3, .out = 64, .kernel = 3})
                                                     : make_conv({.in = 3, .out = 64, .kernel = 7, .stride = 2}));
    norm_ = register_module("1", make_norm(64));
    std::int64_t channels = 64;
    std::int64_t width = 64;
    for (std::size_t i = 0; i < depths.size(); ++i) {
      auto& stage = stages_[i] = register_module(std::to_string(4 + i), std::make_shared<LayerChain>());
      for (std::int64_t block = 0; block < depths[i]; ++block) {
        stage->append(std::make_shared<Block>(channels, width, block == 0 && i > 0 ? 2 : 1));
        channels = width * Block::expansion;
      }
      width *= 2;
    }
    initialise_convolutions(*this);
  }

  torch::Tensor forward(const torch::Tensor& images) override {
    auto y = norm_act(norm_, conv_(images), After::relu);
    if (stem_ == Stem::imagenet) {
      y = max_pool(y);
    }
    for (const auto& stage : stages_) {
      y = stage->forward(y);
    }
    return global_average(y);
  }

  [[nodiscard]] std::int64_t feature_dim() const override { return 512 * Block::expansion; }

 private:
  Stem stem_;
  Convolution conv_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
  std::array<std::shared_ptr<LayerChain>, 4> stages_;
};

}  // namespace

std::shared_ptr<Encoder> make_resnet18(Stem stem) {
  return std::make_shared<ResNet<BasicBlock>>(std::array<std::int64_t, 4>{2, 2, 2, 2}, stem);
}

std::shared_ptr<Encoder> make_resnet50(Stem stem) {
  return std::make_shared<ResNet<Bottleneck>>(std::array<std::int64_t, 4>{3, 4, 6, 3}, stem);
}

}  // namespace relic
