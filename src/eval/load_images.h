// Images of a data set as an encoder takes them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>

#include "relic/data/dataset.h"

namespace relic {

/// The named images as [N, 3, size, size] float32 in [0, 1], channels_last; those of another size resized (shorter
/// side, bilinear, antialiased) and centre-cropped, as torchvision's Resize and CenterCrop. `scratch` is reused memory.
torch::Tensor load_images(const Dataset& dataset, std::span<const std::int64_t> indices, int size,
                          const torch::Device& device, Image& scratch);

}  // namespace relic
