// Frozen features of a data set.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "relic/data/dataset.h"
#include "relic/eval/watch.h"
#include "relic/nn/encoder.h"

namespace relic {

struct Features {
  torch::Tensor x;                      // [N, D] float32, CPU
  torch::Tensor labels;                 // [N] int64, CPU; −1 where there is none
  std::vector<std::int64_t> indices{};  // [N], in the data set; empty where they come from none
};

/// Runs the encoder in eval mode, without gradients, in float32, over the named images of a data set, resized (shorter
/// side, then centre crop; bilinear, antialiased) to image_size where their size differs, values in [0, 1]. The
/// encoder's mode, weights and BatchNorm statistics are left as they were.
Features extract_features(Encoder& encoder, const Dataset& dataset, const std::vector<std::int64_t>& indices,
                          int image_size, const torch::Device& device, const Watch& watch = {});

/// The same over the first `max_images` (0: all) images.
Features extract_features(Encoder& encoder, const Dataset& dataset, int image_size, const torch::Device& device,
                          std::int64_t max_images = 0, const Watch& watch = {});

}  // namespace relic
