// BatchNorm's running statistics of a network that was not trained.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "relic/data/dataset.h"
#include "relic/eval/watch.h"
#include "relic/nn/encoder.h"

namespace relic {

/// Replaces the running mean and variance of every BatchNorm by their averages over `max_images` images of a data set
/// (taken evenly from all of it, prepared as extract_features does), as torch.optim.swa_utils.update_bn does. An
/// encoder as initialised holds mean 0 and variance 1 there, which no image gave, and its features are the worse for
/// it: what learning is worth shows beside the same weights with such statistics. Modes and weights are left as they
/// were.
void estimate_norm_statistics(Encoder& encoder, const Dataset& dataset, int image_size, const torch::Device& device,
                              std::int64_t max_images, const Watch& watch = {});

}  // namespace relic
