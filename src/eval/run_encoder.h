// An encoder over many images of a data set.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "relic/data/dataset.h"
#include "relic/eval/watch.h"
#include "relic/nn/encoder.h"

namespace relic {

/// Images of a batch: many where a GPU wants them, few of large ones on a CPU, so that a Watch is asked every few
/// seconds.
std::int64_t images_per_batch(int image_size, const torch::Device& device);

/// Passes the named images through the encoder, batch by batch, without gradients and in float32, in the modes that its
/// parts are in; `take` gets a batch's indices, less those of images that are left out, and its features [N, D].
void run_encoder(Encoder& encoder, const Dataset& dataset, const std::vector<std::int64_t>& indices, int image_size,
                 const torch::Device& device, const Watch& watch,
                 const std::function<void(const std::vector<std::int64_t>&, const torch::Tensor&)>& take);

}  // namespace relic
