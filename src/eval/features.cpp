#include "relic/eval/features.h"

#include <ATen/Functions.h>
#include <ATen/autocast_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "relic/core/error.h"

namespace relic {
namespace {

constexpr std::int64_t kBatch = 256;

/// Puts a module in eval mode, and every part of it back as it was.
class EvalMode {
 public:
  explicit EvalMode(torch::nn::Module& module) {
    // Parents come before their children, whose modes theirs would overwrite.
    module.apply([this](torch::nn::Module& part) { before_.emplace_back(&part, part.is_training()); });
    module.eval();
  }
  ~EvalMode() {
    for (const auto& [part, training] : before_) {
      part->train(training);
    }
  }
  EvalMode(const EvalMode&) = delete;
  EvalMode& operator=(const EvalMode&) = delete;

 private:
  std::vector<std::pair<torch::nn::Module*, bool>> before_;
};

/// Shorter side to `size` (bilinear, antialiased), centre crop: [size, size, 3] uint8, as torchvision's Resize and
/// CenterCrop.
torch::Tensor resized(const ImageRef& image, int size) {
  if (image.width < 1 || image.height < 1) {
    throw Error("an image of " + std::to_string(image.width) + " by " + std::to_string(image.height) + " pixels");
  }
  // ATen only reads through the pointer.
  const torch::Tensor pixels = at::from_blob(const_cast<std::uint8_t*>(image.pixels), {1, image.height, image.width, 3},
                                             at::TensorOptions().dtype(at::kByte))
                                   .permute({0, 3, 1, 2});
  const std::int64_t shorter = std::min(image.width, image.height);
  const std::int64_t height = std::int64_t{size} * image.height / shorter;
  const std::int64_t width = std::int64_t{size} * image.width / shorter;
  const torch::Tensor whole = height == image.height && width == image.width
                                  ? pixels
                                  : at::_upsample_bilinear2d_aa(pixels, {height, width}, /*align_corners=*/false);
  const auto centred = [size](std::int64_t length) {
    return std::lrint(static_cast<double>(length - size) / 2);  // half to even, as Python's round
  };
  return whole.narrow(2, centred(height), size).narrow(3, centred(width), size).permute({0, 2, 3, 1}).squeeze(0);
}

/// Images begin … end−1 as [N, 3, size, size] float32 in [0, 1], channels_last.
torch::Tensor load_batch(const Dataset& dataset, std::int64_t begin, std::int64_t end, int size,
                         const torch::Device& device, Image& scratch) {
  const torch::Tensor pixels = torch::empty({end - begin, size, size, 3}, torch::kByte);
  const std::size_t bytes = static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3;
  for (std::int64_t i = begin; i < end; ++i) {
    const ImageRef image = dataset.image(i, scratch);
    if (image.width == size && image.height == size) {
      std::memcpy(pixels.data_ptr<std::uint8_t>() + static_cast<std::size_t>(i - begin) * bytes, image.pixels, bytes);
    } else {
      pixels[i - begin].copy_(resized(image, size));
    }
  }
  return pixels.to(device).permute({0, 3, 1, 2}).to(torch::kFloat).div_(255);
}

}  // namespace

Features extract_features(Encoder& encoder, const Dataset& dataset, int image_size, const torch::Device& device,
                          std::int64_t max_images, const std::function<bool()>& stop) {
  if (image_size < 1) {
    throw UsageError("features need an image size of at least 1, not " + std::to_string(image_size));
  }
  const std::int64_t count = max_images > 0 ? std::min(max_images, dataset.size()) : dataset.size();
  const torch::NoGradGuard no_grad;
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const EvalMode eval_mode(encoder);
  Features features{.x = torch::empty({count, encoder.feature_dim()}, torch::kFloat),
                    .labels = torch::empty({count}, torch::kLong)};
  auto* const labels = features.labels.data_ptr<std::int64_t>();
  Image scratch;
  for (std::int64_t begin = 0; begin < count; begin += kBatch) {
    if (stop && stop()) {
      throw Interrupted();
    }
    const std::int64_t end = std::min(begin + kBatch, count);
    features.x.slice(0, begin, end)
        .copy_(encoder.forward(load_batch(dataset, begin, end, image_size, device, scratch)));
    for (std::int64_t i = begin; i < end; ++i) {
      labels[i] = dataset.label(i);
    }
  }
  return features;
}

}  // namespace relic
