#include "relic/eval/features.h"

#include <torch/types.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "eval/kept_modes.h"
#include "eval/run_encoder.h"
#include "relic/core/error.h"

namespace relic {

Features extract_features(Encoder& encoder, const Dataset& dataset, const std::vector<std::int64_t>& indices,
                          int image_size, const torch::Device& device, const Watch& watch) {
  if (image_size < 1) {
    throw UsageError("features need an image size of at least 1, not " + std::to_string(image_size));
  }
  const auto count = static_cast<std::int64_t>(indices.size());
  const KeptModes modes(encoder);
  encoder.eval();
  Features features{.x = torch::empty({count, encoder.feature_dim()}, torch::kFloat),
                    .labels = torch::empty({count}, torch::kLong)};
  std::int64_t done = 0;
  run_encoder(encoder, dataset, indices, image_size, device, watch,
              [&](const std::vector<std::int64_t>& batch, const torch::Tensor& rows) {
                features.x.slice(0, done, done + rows.size(0)).copy_(rows);
                for (const std::int64_t index : batch) {
                  features.labels.data_ptr<std::int64_t>()[done++] = dataset.label(index);
                  features.indices.push_back(index);
                }
              });
  features.x = features.x.slice(0, 0, done);
  features.labels = features.labels.slice(0, 0, done);
  return features;
}

Features extract_features(Encoder& encoder, const Dataset& dataset, int image_size, const torch::Device& device,
                          std::int64_t max_images, const Watch& watch) {
  const std::int64_t count = max_images > 0 ? std::min(max_images, dataset.size()) : dataset.size();
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return extract_features(encoder, dataset, indices, image_size, device, watch);
}

}  // namespace relic
