#include "relic/eval/features.h"

#include <ATen/autocast_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/utils.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "eval/kept_modes.h"
#include "eval/load_images.h"
#include "relic/core/error.h"

namespace relic {
namespace {

constexpr std::int64_t kBatch = 256;

}  // namespace

Features extract_features(Encoder& encoder, const Dataset& dataset, int image_size, const torch::Device& device,
                          std::int64_t max_images, const std::function<bool()>& stop) {
  if (image_size < 1) {
    throw UsageError("features need an image size of at least 1, not " + std::to_string(image_size));
  }
  const std::int64_t count = max_images > 0 ? std::min(max_images, dataset.size()) : dataset.size();
  const torch::NoGradGuard no_grad;
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const KeptModes modes(encoder);
  encoder.eval();
  Features features{.x = torch::empty({count, encoder.feature_dim()}, torch::kFloat),
                    .labels = torch::empty({count}, torch::kLong)};
  auto* const labels = features.labels.data_ptr<std::int64_t>();
  Image scratch;
  std::vector<std::int64_t> indices;
  for (std::int64_t begin = 0; begin < count; begin += kBatch) {
    if (stop && stop()) {
      throw Interrupted();
    }
    const std::int64_t end = std::min(begin + kBatch, count);
    indices.resize(static_cast<std::size_t>(end - begin));
    std::iota(indices.begin(), indices.end(), begin);
    features.x.slice(0, begin, end).copy_(encoder.forward(load_images(dataset, indices, image_size, device, scratch)));
    for (std::int64_t i = begin; i < end; ++i) {
      labels[i] = dataset.label(i);
    }
  }
  return features;
}

}  // namespace relic
