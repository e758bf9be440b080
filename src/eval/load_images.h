// Images of a data set as an encoder takes them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "relic/data/dataset.h"

namespace relic {

struct LoadedImages {
  std::vector<std::int64_t> indices;  // [N], those that could be read
  torch::Tensor images;               // [N, 3, size, size] float32 in [0, 1], channels_last
};

/// The named images; those of another size resized (shorter side, bilinear, antialiased) and centre-cropped, as
/// torchvision's Resize and CenterCrop. Those that cannot be read are told to `left_out`; without it, the first is
/// thrown.
LoadedImages load_images(const Dataset& dataset, std::span<const std::int64_t> indices, int size,
                         const torch::Device& device, const std::function<void(const BadImage&)>& left_out);

}  // namespace relic
