// What the settings of a training mean for its networks, views and forward pass.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "relic/nn/relic.h"
#include "relic/train/config.h"
#include "relic/train/runtime.h"
#include "relic/train/train_step.h"
#include "relic/views/view_spec.h"

namespace relic {

RelicOptions relic_options(const TrainConfig& config);
MultiCropSpec view_options(const TrainConfig& config);
/// Side of a global view, and of the images that are scored, in pixels.
int image_size(const TrainConfig& config);
ForwardOptions forward_options(const TrainConfig& config, const Runtime& runtime);

/// Where a run ends, of so many steps per epoch: with its last epoch, or by `max_steps` before.
std::int64_t last_step(const TrainConfig& config, std::int64_t steps_per_epoch);

/// The networks as a run with these settings starts them: a function of the seed.
std::unique_ptr<Relic> initial_relic(const TrainConfig& config, const torch::Device& device);

}  // namespace relic
